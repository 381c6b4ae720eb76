// Files in landing that are nobody's data: what file managers, editors and copying programs leave lying about. Nobody dropped
// them, so watch and reconcile pass them by, with a line in the log; `weir drop` of such a name is somebody's wish.

import { posix } from 'node:path'
import { readHead } from '../lake/heads.ts'
import { datasetOfKey } from '../lake/keys.ts'
import type { Context } from './context.ts'
import { fitsMatch } from './datasets.ts'

/** Hidden files (rsync's temporary ones are), lock files of Office, files of Windows' Explorer, unfinished downloads. */
const NOT_DATA =
  /^\.|^~\$|^(thumbs\.db|desktop\.ini)$|\.(sw[op]|tmp|temp|part|partial|filepart|crdownload|download)$|~$/i

/** True, and told, for a file that is not to be ingested by itself. One that the lake has already taken in is not ignored. */
export async function isIgnored(
  { lake, plans, log }: Pick<Context, 'lake' | 'plans' | 'log'>,
  key: string,
): Promise<boolean> {
  // What S3's console makes of "create folder": an empty object, and no file.
  if (key.endsWith('/')) return true
  if (!NOT_DATA.test(posix.basename(key))) return false
  const plan = plans.get(datasetOfKey(key) ?? '')
  // `match: "*.part"` asks for such files in so many words; `match: "*"` does not.
  const { match } = plan?.settings ?? {}
  if (plan && match !== undefined && NOT_DATA.test(posix.basename(match)) && fitsMatch(plan, key)) return false
  if (plan && (await readHead(lake.zones.ops, plan.dataset, key))) return false
  log({
    event: 'file_ignored',
    source: key,
    reason:
      'By its name it is hidden or temporary, and no data. To take it in all the same: weir drop, or a match that names it.',
  })
  return true
}
