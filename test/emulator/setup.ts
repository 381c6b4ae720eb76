// Stops tests that would otherwise go to somebody's real AWS account.

if (!process.env.AWS_ENDPOINT_URL) {
  throw new Error(
    'These tests run on an emulator of AWS: "npm run test:emulator" starts one, or set AWS_ENDPOINT_URL to a running one.',
  )
}
