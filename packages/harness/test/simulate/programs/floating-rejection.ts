// A promise without a handler rejects: the run fails with its seed, the process is not just ended.
import { isHarnessError, simulate } from '@loadbearing/harness'

try {
  await simulate({ seed: 7, runs: 1 }, async ({ step }) => {
    void step().then(() => {
      throw new Error('nobody handles this')
    })
    await step()
    await step()
  })
} catch (error) {
  if (isHarnessError(error)) process.stdout.write(`${error.code} ${error.message}`)
}
