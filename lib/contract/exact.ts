// Exact decimal numbers in TypeScript, for bounds and steps: a bound must not move because it went through a double.

/** units / 10^scale. */
export interface Exact {
  units: bigint
  scale: number
}

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/

/** Reads 12, -1.50, 1e21 …; undefined if the text is not a finite decimal number. */
export const exact = (value: number | bigint | string): Exact | undefined => {
  const match = NUMBER.exec(String(value).trim())
  if (!match) return undefined
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  if (whole === '' && fraction === '') return undefined
  let units = BigInt(whole + fraction)
  let scale = fraction.length - Number(exponent)
  while (scale > 0 && units % 10n === 0n) {
    units /= 10n
    scale--
  }
  if (scale < 0) {
    units *= 10n ** BigInt(-scale)
    scale = 0
  }
  return { units: sign === '-' ? -units : units, scale }
}

export const compareExact = (a: Exact, b: Exact): number => {
  const scale = Math.max(a.scale, b.scale)
  const difference = a.units * 10n ** BigInt(scale - a.scale) - b.units * 10n ** BigInt(scale - b.scale)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** The units of the nearest number with `scale` fraction digits below (or above), and whether nothing was lost. */
export const roundUnits = (value: Exact, scale: number, up: boolean): { units: bigint; same: boolean } => {
  if (value.scale <= scale) return { units: value.units * 10n ** BigInt(scale - value.scale), same: true }
  const divisor = 10n ** BigInt(value.scale - scale)
  const quotient = value.units / divisor
  const rest = value.units % divisor
  if (rest === 0n) return { units: quotient, same: true }
  // BigInt division goes towards zero.
  if (up) return { units: rest > 0n ? quotient + 1n : quotient, same: false }
  return { units: rest < 0n ? quotient - 1n : quotient, same: false }
}

/** Plain notation, never an exponent. */
export const plainText = ({ units, scale }: Exact): string => {
  const sign = units < 0n ? '-' : ''
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0')
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

export const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? a : gcd(b, a % b))
