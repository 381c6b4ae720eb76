// Runs after `npm ci`: fetches the DuckDB binaries of the machines that Lambda has, so that later `cdk synth` works offline.
// Plain JavaScript, and never an error: an older Node must be able to read it, and nobody who works on a laptop needs them.

try {
  const { ARCHITECTURES, targetBinaries } = await import('../lib/infra/binaries.ts')
  for (const architecture of ARCHITECTURES) await targetBinaries(architecture).catch(warn)
} catch (error) {
  warn(error)
}

function warn(error) {
  console.warn(`weir: ${error instanceof Error ? error.message : error}\nweir: Only a deployment to AWS needs this.`)
}
