// Weir's version, as receipts and --version show it. A test holds it to package.json.
export const WEIR_VERSION = '0.1.0'
