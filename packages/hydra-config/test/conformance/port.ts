import { field, servePort } from '@loadbearing/harness/conformance'
import { tokenBucket } from '@loadbearing/hydra-config'

await servePort({
  take: (command) => {
    const bucket = tokenBucket({
      capacity: field(command, 'capacity').number(),
      refillPerSecond: field(command, 'refillPerSecond').number(),
    })
    return { granted: field(command, 'at').list((at) => bucket.take(at.number())) }
  },
})
