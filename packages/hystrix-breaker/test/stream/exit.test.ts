import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

// Each is a program of its own: that it ends shows that nothing keeps it alive.
const programs = {
  'streams that nobody closed, without a server': `
    const stream = hystrixStream(new Registry())
    const turbine = turbineStream(['http://127.0.0.1:9/'], { refresh: '1h' })
    void [stream, turbine, dashboardPage()]`,
  'a reader of a fleet that went': `
    const peers = createServer(hystrixStream(new Registry(), { delay: 10 })).listen(0, '127.0.0.1')
    await once(peers, 'listening')
    const stream = turbineStream(['http://127.0.0.1:' + peers.address().port, 'http://127.0.0.1:9/'], { delay: 10 })
    const server = createServer(stream).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const response = await fetch('http://127.0.0.1:' + server.address().port)
    const reader = response.body.getReader()
    await reader.read()
    await reader.cancel()
    await stream[Symbol.asyncDispose]()
    for (const each of [server, peers]) {
      each.close()
      each.closeAllConnections()
    }`,
}

test.each(Object.entries(programs))('a process ends with %s', (_, body) => {
  const program = `
    import { once } from 'node:events'
    import { createServer } from 'node:http'
    import { Registry } from '@loadbearing/hystrix-breaker'
    import { dashboardPage, hystrixStream, turbineStream } from '@loadbearing/hystrix-breaker/stream'
    ${body}`
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@loadbearing/source', '--input-type=module', '--eval', program],
    { encoding: 'utf8', timeout: 20_000, cwd: import.meta.dirname },
  )
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})
