import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Front } from './fronts.ts'

/** What one round of load showed. */
export interface Round {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Processor time of the proxy for each request, in µs; NaN where the system does not tell. */
  readonly cpuMicros: number
  readonly errors: number
}

const connections = 32

/** Requests on 32 connections that are kept open, by wrk, each for one of 1,000 paths. */
export async function requests(front: Front, seconds: number): Promise<Round> {
  const folder = mkdtempSync(join(tmpdir(), 'maglev-bench-wrk-'))
  try {
    const script = join(folder, 'paths.lua')
    writeFileSync(
      script,
      'n = 0\nrequest = function()\n  n = n + 1\n  return wrk.format("GET", "/" .. (n % 1000))\nend\n',
    )
    const before = processorSeconds(front.pid)
    const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '-s', script]
    const { stdout } = await promisify(execFile)('wrk', [...args, `http://127.0.0.1:${front.port}/`])
    const used = processorSeconds(front.pid) - before
    const total = Number(/(\d+) requests in/.exec(stdout)?.[1])
    const failed = [...(/Socket errors: (.*)/.exec(stdout)?.[1] ?? '').matchAll(/\d+/g)]
    return {
      requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
      p50Ms: milliseconds(/^\s+50%\s+(\S+)/m.exec(stdout)?.[1]),
      p99Ms: milliseconds(/^\s+99%\s+(\S+)/m.exec(stdout)?.[1]),
      cpuMicros: (used * 1e6) / total,
      errors:
        failed.reduce((sum, [number]) => sum + Number(number), 0) +
        Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Bytes a second, in MiB, that 8 connections read from backends that pour. */
export async function bulk(front: Front, seconds: number): Promise<number> {
  let bytes = 0
  let measuring = false
  const sockets = Array.from({ length: 8 }, () => {
    const socket = connect(front.port, '127.0.0.1')
    socket
      .on('error', () => {})
      .on('data', (data) => {
        if (measuring) bytes += data.length
      })
    socket.write('GET /pour HTTP/1.1\r\nhost: a\r\n\r\n')
    return socket
  })
  await sleep(200)
  measuring = true
  const begin = performance.now()
  await sleep(seconds * 1000)
  const took = (performance.now() - begin) / 1000
  for (const socket of sockets) socket.destroy()
  return bytes / 2 ** 20 / took
}

function milliseconds(text: string | undefined): number {
  const [, number, unit] = /^([\d.]+)(us|ms|s)$/.exec(text ?? '') ?? []
  return Number(number) * ({ us: 0.001, ms: 1, s: 1000 }[unit ?? ''] ?? Number.NaN)
}

/** User and system time so far, in ticks of 10 ms (Linux). */
function processorSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return Number.NaN
  }
}
