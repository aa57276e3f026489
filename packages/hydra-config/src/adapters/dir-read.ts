import { isUtf8 } from 'node:buffer'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { HydraConfigError } from '../errors.ts'
import { systemReason } from './system-error.ts'

const maxFileBytes = 16 * 1024 * 1024

/** The text of a file with line ends as `\n`, a byte order mark kept; or why there is none; undefined where it is gone. */
export function readConfigText(location: string): string | HydraConfigError | undefined {
  try {
    const bytes = readBytes(location)
    if (typeof bytes === 'string') return new HydraConfigError('SOURCE_READ', `${location} ${bytes}`)
    if (!isUtf8(bytes)) return notUtf8(location, bytes)
    return bytes.toString('utf8').replaceAll(/\r\n?/g, '\n')
  } catch (cause) {
    const { code, text } = systemReason(cause)
    if (code === 'ENOENT') return undefined
    return new HydraConfigError('SOURCE_READ', `${location} cannot be read: ${text}`, { cause })
  }
}

/** The bytes, or what is wrong with the file. */
function readBytes(location: string): Buffer | string {
  // A pipe in its place would have us wait for a writer.
  const file = openSync(location, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) return 'is no regular file'
    if (stat.size > maxFileBytes) return `has ${stat.size} bytes; a config has at most ${maxFileBytes}`
    const bytes = Buffer.alloc(stat.size)
    let filled = 0
    for (let read = -1; read !== 0 && filled < bytes.length; filled += read) {
      read = readSync(file, bytes, filled, bytes.length - filled, null)
    }
    return bytes.subarray(0, filled)
  } finally {
    closeSync(file)
  }
}

function notUtf8(location: string, bytes: Buffer): HydraConfigError {
  // A line end is no part of a longer character, so that lines can be looked at one by one.
  let line = 1
  for (let start = 0; start < bytes.length; line += 1) {
    const end = bytes.indexOf(0x0a, start)
    const stop = end === -1 ? bytes.length : end
    if (!isUtf8(bytes.subarray(start, stop))) break
    start = stop + 1
  }
  return new HydraConfigError('SOURCE_READ', `${location} is not UTF-8: see line ${line}`, {
    class: 'UnicodeDecodeError',
  })
}
