import { field, servePort } from '@loadbearing/harness/conformance'

// A port to test the port with: every way in which an operation can behave, or misbehave.
await servePort({
  echo: (command) => field(command, 'value').value,
  length: (command) => field(command, 'value').string().length,
  repeat: (command) =>
    field(command, 'text')
      .string()
      .repeat(field(command, 'times').integer({ min: 0, max: 1e8 })),
  chatter: (command) => {
    console.log('by console.log')
    process.stdout.write('by write\n')
    return field(command, 'value').value
  },
  later: async (command) => {
    await new Promise((resolve) => setImmediate(resolve))
    return field(command, 'value').value
  },
  coded: () => {
    throw Object.assign(new Error('offset 3 is bad'), { code: 'PARSE_FAILED', offset: 3, huge: 10n })
  },
  broken: () => {
    const nothing: unknown = undefined
    // @ts-expect-error a bug, on purpose
    return nothing.property
  },
  overflow: function overflow(command): number {
    return 1 + overflow(command)
  },
  escape: (command) => {
    setImmediate(() => {
      throw new Error('thrown outside')
    })
    return new Promise((resolve) =>
      setImmediate(() => setImmediate(() => resolve(field(command, 'value').value))),
    )
  },
  memory: () => process.resourceUsage().maxRSS * 1024,
  infinite: () => ({ rate: [Number.POSITIVE_INFINITY] }),
})
