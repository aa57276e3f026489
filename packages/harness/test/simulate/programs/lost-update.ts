// Two clients add one to a counter that they read and write in two steps.
import { simulate } from '@loadbearing/harness'

let runs = 0
process.on('exit', () => process.stdout.write(`runs: ${runs}\n`))

await simulate({ seed: Number(process.argv[2] ?? 0), runs: 200 }, async ({ spawn, step }) => {
  runs++
  let counter = 0
  const increment = async (): Promise<void> => {
    const read = counter
    await step('between read and write')
    counter = read + 1
  }
  await Promise.all([spawn('one', increment), spawn('two', increment)])
  if (counter !== 2) throw new Error(`an update is lost: the counter is ${counter}`)
})
