import { readFileSync } from 'node:fs'
import { checkDuration } from '../option-checks.ts'

/** One subcommand. */
export interface Command {
  /** What it does, in a few words. */
  readonly summary: string
  readonly usage: string
  /** Does it, and gives what goes to standard output at the end. */
  run(args: string[]): string | Promise<string>
}

/** A command line that cannot be obeyed. */
export class UsageError extends Error {}

/** What was asked for could not be done, such as a server that does not answer. */
export class Failure extends Error {}

export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** `[HOST]:PORT`, or PORT; without a host, 127.0.0.1. */
export function listenAddressOf(option: string, text: string): ListenAddress {
  const [, host = '', port = ''] = /^(?:(\[[^\]]+\]|[^:]*):)?(\d{1,5})$/.exec(text) ?? []
  if (port === '' || Number(port) > 65_535)
    throw new UsageError(`${option} must be [HOST]:PORT, not ${plain(text)}`)
  return { host: host.replaceAll(/[[\]]/g, '') || '127.0.0.1', port: Number(port) }
}

export function urlOf(what: string, text: string): URL {
  const url = URL.parse(text)
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new UsageError(
    `${what} must be a URL such as http://127.0.0.1:8080/hystrix.stream, not ${plain(text)}`,
  )
}

/** `Name: value`, as for curl. */
export function headersOf(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*([\t\x20-\x7E\x80-\xFF]*)$/.exec(line) ?? []
      if (name === undefined || value === undefined)
        throw new UsageError(`--header must be 'Name: value', not ${plain(line)}`)
      return [name, value]
    }),
  )
}

export function durationOf(option: string, text: string): number {
  return checkDuration(option, /^\d+$/.test(text) ? Number(text) : text)
}

/** The text of a file. */
export function textOf(what: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${what}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** A name from elsewhere, for a terminal: quoted where a character of it is not simply printed. */
export function plain(text: string): string {
  return /^[\p{L}\p{N}\p{P}\p{S} ]*$/u.test(text) && !text.includes('"')
    ? text
    : JSON.stringify(text).replaceAll(
        /[^\p{L}\p{N}\p{P}\p{S} ]/gu,
        (character) =>
          `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}${
            character.length > 1 ? `\\u${character.charCodeAt(1).toString(16)}` : ''
          }`,
      )
}

/** Columns side by side, each as wide as its widest cell; a column of numbers to the right. */
export function columnsOf(rows: readonly (readonly (string | number)[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => widthOf(row[column]))))
  const numeric = widths.map((_, column) => rows.slice(1).some((row) => typeof row[column] === 'number'))
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const space = ' '.repeat((widths[column] ?? 0) - widthOf(cell))
        return numeric[column] === true ? `${space}${cell}` : `${cell}${space}`
      })
      .join('  ')
      .trimEnd(),
  )
}

/** In characters as people count them. */
function widthOf(cell: string | number | undefined): number {
  return [...segmenter.segment(String(cell))].length
}

const segmenter = new Intl.Segmenter()
