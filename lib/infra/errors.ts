// The errors of lib/infra: what stops a synthesis, with what to do about it.

/** The DuckDB binary of the target architecture is not here and could not be fetched. */
export class BinaryMissing extends Error {
  override name = 'BinaryMissing'
}

/** The code of a function is not in the checkout, or cannot be bundled. */
export class BundleFailed extends Error {
  override name = 'BundleFailed'
}

/** weir.yaml or a contract asks for what cannot be deployed. */
export class CannotDeploy extends Error {
  override name = 'CannotDeploy'
}
