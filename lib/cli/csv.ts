// CSV out (RFC 4180), and in for repair files, which Weir itself has written.

/** Rows as CSV. Null is an empty cell; an empty text is a quoted one, so that the two stay apart. */
export function toCsv(rows: (string | null)[][]): string {
  return rows.map((row) => `${row.map(cell).join(',')}\n`).join('')
}

function cell(value: string | null): string {
  if (value === null) return ''
  return value === '' || /[",\r\n]/.test(value) || value !== value.trim() ? `"${value.replaceAll('"', '""')}"` : value
}

/** Records of a CSV with double quotes and commas. Null: an empty cell without quotes. */
export function parseCsv(text: string): (string | null)[][] {
  const rows: (string | null)[][] = []
  let row: (string | null)[] = []
  const field = /"((?:[^"]|"")*)"|([^",\r\n]*)/y
  let at = text.startsWith('\ufeff') ? 1 : 0
  while (at < text.length) {
    field.lastIndex = at
    const match = field.exec(text)
    if (!match) throw new Error(`The CSV cannot be read at character ${at}.`)
    row.push(match[1] === undefined ? match[2] || null : match[1].replaceAll('""', '"'))
    at = field.lastIndex
    if (text[at] === ',') {
      at += 1
      if (at < text.length) continue
      row.push(null)
    }
    if (text[at] === '\r') at += 1
    if (text[at] === '\n') at += 1
    else if (at < text.length) throw new Error(`The CSV cannot be read at character ${at}.`)
    rows.push(row)
    row = []
  }
  return rows
}
