import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'

test('two open a new file at the same moment', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'idempotency-'))
  const program = new URL('./programs/open-sqlite.ts', import.meta.url)
  const parties = 2
  // About one in six fails where WAL is asked for once only.
  const files = Array.from({ length: 50 }, (_, round) => join(folder, `${round}.sqlite`))
  const workerData = { files, barrier: new Int32Array(new SharedArrayBuffer(4)), parties }
  const execArgv = ['--conditions=@loadbearing/source']
  try {
    const failures = Array.from({ length: parties }, async () => {
      const worker = new Worker(program, { workerData, execArgv })
      const [[failed]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')])
      return failed
    })
    expect(await Promise.all(failures)).toEqual([[], []])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
