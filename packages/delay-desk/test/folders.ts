import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const home = join(tmpdir(), `desk-test-${process.pid}`)

/** A new folder for files of a test. */
export function newFolder(): string {
  mkdirSync(home, { recursive: true })
  return mkdtempSync(join(home, 'folder-'))
}

/** Removes all of them; each test file that makes some does so after its tests. */
export function removeFolders(): void {
  rmSync(home, { recursive: true, force: true })
}

/** Writes flights to a file of its own; fields that are not given are those of a sound record. */
export function flightsFile(
  records: readonly (object | null | number)[],
  name: string = 'flights.json',
): string {
  const path = join(newFolder(), name)
  const sound = { date: '2001/01/01 00:47', delay: 0, distance: 1750, origin: 'DTW', destination: 'LAS' }
  const whole = records.map((record) =>
    typeof record === 'object' && record !== null ? { ...sound, ...record } : record,
  )
  writeFileSync(path, JSON.stringify(whole))
  return path
}
