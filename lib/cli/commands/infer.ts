// `weir infer <file>`: a draft contract for a sample file, on stdout. Needs no lake.

import { basename } from 'node:path'
import type { Command } from 'commander'
import { datasetProblem } from '../../contract/names.ts'
import { inferContract } from '../../pipeline/infer.ts'
import { UsageError } from '../errors.ts'
import { existingFile } from '../files.ts'
import { act, type Cli, defineCommand, type GlobalOptions } from '../run.ts'

interface Options extends GlobalOptions {
  dataset?: string
}

export function inferCommand(cli: Cli): Command {
  return defineCommand('infer', 'draft a contract from a sample file, with the evidence for each column', [
    'weir infer orders.csv > contracts/orders.yaml',
    'weir infer export-2026.csv --dataset orders > contracts/orders.yaml',
  ])
    .argument('<file>', 'a sample: CSV, TSV, JSON, NDJSON or Parquet, also .gz or .zst')
    .option('--dataset <name>', "the dataset's name (default: from the file's name)")
    .action(
      act<[string], Options>(cli, async (run, options, file) => {
        const problem = options.dataset === undefined ? undefined : datasetProblem(options.dataset)
        if (problem)
          throw new UsageError(`--dataset ${options.dataset}: ${problem.message} Allowed: ${problem.allowed}.`)
        const path = await existingFile(run.io, file)
        // Loaded here, for DuckDB takes a moment and most commands do without it.
        const { sniffFile } = await import('../../engine/sniff.ts')
        const sample = await sniffFile(path, basename(path))
        const draft = inferContract(sample, basename(path), options.dataset)
        if (!run.json) run.write(draft.yaml)
        run.note(`Read it, save it in contracts/, then: weir lint`)
        return { exit: 0, json: { ...draft, reading: sample.reading } }
      }),
    )
}
