// `weir watch`: takes files in as they appear, change or go in landing/, however they got there; until Ctrl-C.

import type { Command } from 'commander'
import type { Outcome, Receipt } from '../../lake/receipt.ts'
import { formatCount, formatRows } from '../../lake/render/format.ts'
import { writeReceiptPage } from '../../lake/render/page.ts'
import { renderLine } from '../../lake/render/text.ts'
import { OUTCOME_WORDS } from '../../lake/render/words.ts'
import { act, type Cli, defineCommand, type GlobalOptions } from '../run.ts'

export function watchCommand(cli: Cli): Command {
  return defineCommand('watch', 'take files in as they appear, change or go in landing/; until Ctrl-C', ['weir watch'])
}
