import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What a measuring command found. */
export interface Measurement {
  /** What a reader types at the root to see it again: `pnpm bench maglev`. */
  readonly command: string
  readonly seed?: number | string
  /** What was measured or compared against, by name: `{ hashring: '3.2.0' }`. */
  readonly versions: Readonly<Record<string, string>>
  readonly columns: readonly string[]
  /** Cells are printed as they stand here: round before recording. */
  readonly rows: readonly (readonly (string | number)[])[]
  /** Sentences printed below the table: what differed and why, what could not be had. */
  readonly notes?: readonly string[]
}

/** A measurement with the machine and the day (UTC) it was made on. */
export interface RecordedMeasurement extends Measurement {
  readonly machine: Machine
  readonly date: string
}

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memory: string
  readonly os: string
  readonly node: string
}

/** Measurements by section; those of a package seen from the root are named `<package>/<section>`. */
export type Evidence = Readonly<Record<string, RecordedMeasurement>>

/**
 * Puts a measurement into `evidence.json` of the package at `home`, in place of the section's last one, and renders
 * the tables of the package's README and of the root's anew. Only commands that measure call it. Each file is replaced
 * whole, so that a reader never sees half of one.
 *
 * @throws Error when the section's name, a row or a cell is not what it should be, or a text holds a path of this machine.
 */
export function recordEvidence(home: URL | string, section: string, measurement: Measurement): void {
  const folder = folderOf(home)
  const recorded: RecordedMeasurement = {
    ...measurement,
    machine: thisMachine(),
    date: new Date().toISOString().slice(0, 10),
  }
  if (!/^[a-z\d]+(-[a-z\d]+)*$/.test(section)) {
    throw new Error(`the section must be kebab-case, received ${JSON.stringify(section)}`)
  }
  const fault = faultOf(recorded)
  if (fault !== undefined) throw new Error(`evidence of ${section}: ${fault}`)
  const text = stringify({ ...ownEvidence(folder), [section]: recorded })
  for (const path of [folder, process.cwd()]) {
    if (path !== '/' && text.includes(path))
      throw new Error(`evidence of ${section} holds the path ${path}; leave it out`)
  }
  replaceFile(join(folder, 'evidence.json'), text)
  const root = join(folder, '../..')
  for (const reader of existsSync(join(root, 'pnpm-workspace.yaml')) ? [folder, root] : [folder])
    rewriteReadme(reader)
}

/**
 * The measurements that the README of `home` may show: its own, and for a folder with `packages/` those of each package.
 *
 * @throws Error naming the file that is not what {@link recordEvidence} writes.
 */
export function readEvidence(home: URL | string): Evidence {
  const folder = folderOf(home)
  const packages = join(folder, 'packages')
  const names = existsSync(packages) ? readdirSync(packages).toSorted() : []
  return Object.fromEntries([
    ...Object.entries(ownEvidence(folder)),
    ...names.flatMap((name) =>
      Object.entries(ownEvidence(join(packages, name))).map(
        ([section, one]) => [`${name}/${section}`, one] as const,
      ),
    ),
  ])
}

/**
 * The Markdown with every table between `<!-- evidence:<section> -->` and `<!-- /evidence -->` rendered from the
 * evidence. A section without evidence is left as it stands. Rendering twice changes nothing.
 *
 * @throws Error when a marker has no counterpart.
 */
export function renderEvidence(markdown: string, evidence: Evidence): string {
  return mapSections(markdown, (section, body) => {
    const measurement = ownSection(evidence, section)
    return measurement === undefined ? body : render(measurement)
  })
}

/**
 * Where the README of `home` and the evidence disagree, one sentence each: a section without evidence, a table that
 * says something else, and evidence of the package that its README does not show.
 */
export function checkEvidence(home: URL | string): string[] {
  const folder = folderOf(home)
  const where = `${basename(folder)}/README.md`
  const complaints: string[] = []
  const shown = new Set<string>()
  try {
    const evidence = readEvidence(folder)
    mapSections(readme(folder), (section, body) => {
      shown.add(section)
      const measurement = ownSection(evidence, section)
      if (measurement === undefined) complaints.push(`${where}: no evidence was recorded for ${section}`)
      else if (render(measurement) !== body) {
        complaints.push(
          `${where}: the table of ${section} differs from evidence.json; run ${measurement.command}`,
        )
      }
      return body
    })
    for (const section of Object.keys(ownEvidence(folder))) {
      if (!shown.has(section)) complaints.push(`${where}: nothing shows the evidence of ${section}`)
    }
  } catch (error) {
    complaints.push(`${where}: ${error instanceof Error ? error.message : String(error)}`)
  }
  return complaints
}

function mapSections(markdown: string, map: (section: string, body: string) => string): string {
  const marker = /^<!-- (?:evidence:(\S+)|\/evidence) -->$\n?/gm
  let result = ''
  let from = 0
  let open: string | undefined
  for (const match of markdown.matchAll(marker)) {
    const [text, section] = match
    const body = markdown.slice(from, match.index)
    if ((open === undefined) === (section === undefined)) {
      throw new Error(
        open === undefined ? 'a <!-- /evidence --> closes nothing' : `evidence:${open} is never closed`,
      )
    }
    result += open === undefined ? body : map(open, body)
    result += text
    open = section
    from = match.index + text.length
  }
  if (open !== undefined) throw new Error(`evidence:${open} is never closed`)
  return result + markdown.slice(from)
}

function render({
  command,
  seed,
  versions,
  columns,
  rows,
  notes = [],
  machine,
  date,
}: RecordedMeasurement): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.map(cell).join(' | ')} |`
  const rule = columns.map((_, at) => (rows.every((row) => typeof row[at] === 'number') ? '---:' : '---'))
  const against = Object.entries(versions)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, version]) => `${name} ${version}`)
  const facts = [
    `\`${command}\`${seed === undefined ? '' : `, seed ${seed}`}`,
    ...(against.length === 0 ? [] : [against.join(', ')]),
    `${machine.cpu}, ${machine.cores} cores, ${machine.memory}, ${machine.os}, Node ${machine.node}`,
    date,
  ]
  const list = notes.length === 0 ? '' : `\n${notes.map((note) => `- ${inline(note)}\n`).join('')}`
  const table = [line(columns), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n')
  return `\n${table}\n${list}\n<sub>${facts.map(inline).join(' · ')}</sub>\n\n`
}

// A backslash before a pipe would escape the escape.
function cell(value: string | number): string {
  return inline(String(value)).replace(/\\*\|/g, (found) => `${'\\'.repeat(2 * found.length - 1)}|`)
}

function inline(text: string): string {
  return text
    .trim()
    .replaceAll('<!--', '&lt;!--')
    .replace(/\s*\r?\n\s*/g, '<br>')
}

function rewriteReadme(folder: string): void {
  const before = readme(folder)
  const after = renderEvidence(before, readEvidence(folder))
  if (after !== before) replaceFile(join(folder, 'README.md'), after)
}

function readme(folder: string): string {
  const file = join(folder, 'README.md')
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

function ownEvidence(folder: string): Evidence {
  const file = join(folder, 'evidence.json')
  if (!existsSync(file)) return {}
  const name = `${basename(folder)}/evidence.json`
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new Error(`${name} is not JSON`, { cause })
  }
  if (!isRecord(parsed)) throw new Error(`${name} is not an object of sections`)
  const evidence: Record<string, RecordedMeasurement> = {}
  for (const [section, one] of Object.entries(parsed)) {
    const fault = faultOf(one)
    if (!isMeasurement(one)) throw new Error(`${name}: ${section}: ${fault}`)
    evidence[section] = one
  }
  return evidence
}

function isMeasurement(value: unknown): value is RecordedMeasurement {
  return faultOf(value) === undefined
}

function faultOf(value: unknown): string | undefined {
  if (!isRecord(value)) return 'it is not an object'
  const { command, date, versions, columns, rows, notes, seed, machine } = value
  if (typeof command !== 'string' || command === '') return 'command is missing'
  if (typeof date !== 'string') return 'date is missing'
  if (seed !== undefined && typeof seed !== 'string' && typeof seed !== 'number')
    return 'seed is no number or string'
  if (!isRecord(versions) || !Object.values(versions).every(isString)) return 'versions must be texts by name'
  if (!Array.isArray(columns) || columns.length === 0 || !columns.every(isString))
    return 'columns must be texts'
  if (!Array.isArray(rows)) return 'rows must be an array'
  for (const [at, row] of rows.entries()) {
    if (!Array.isArray(row) || row.length !== columns.length)
      return `row ${at} must have ${columns.length} cells`
    if (!row.every((one) => isString(one) || Number.isFinite(one))) return `row ${at} holds no number or text`
  }
  if (notes !== undefined && (!Array.isArray(notes) || !notes.every(isString))) return 'notes must be texts'
  if (!isRecord(machine)) return 'machine is missing'
  const { cpu, cores, memory, os, node } = machine
  return [cpu, memory, os, node].every(isString) && Number.isFinite(cores)
    ? undefined
    : 'machine is not complete'
}

function isRecord(value: unknown): value is Partial<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function ownSection(evidence: Evidence, section: string): RecordedMeasurement | undefined {
  return Object.hasOwn(evidence, section) ? evidence[section] : undefined
}

// Keys sorted and a row a line: the diff of a new run shows the figures that changed.
function stringify(evidence: Evidence): string {
  const print = (value: unknown, indent: string): string => {
    const inner = `${indent}  `
    if (Array.isArray(value)) {
      if (!value.some((one) => typeof one === 'object'))
        return `[${value.map((one) => JSON.stringify(one)).join(', ')}]`
      return `[\n${value.map((one) => inner + print(one, inner)).join(',\n')}\n${indent}]`
    }
    if (!isRecord(value)) return JSON.stringify(value)
    const fields = Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, field]) => `${inner}${JSON.stringify(key)}: ${print(field, inner)}`)
    return fields.length === 0 ? '{}' : `{\n${fields.join(',\n')}\n${indent}}`
  }
  return `${print(evidence, '')}\n`
}

function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    os: `${type()} ${release()} ${arch()}`,
    node: process.version,
  }
}

function replaceFile(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`
  writeFileSync(temporary, text)
  renameSync(temporary, file)
}

function folderOf(home: URL | string): string {
  return resolve(home instanceof URL ? fileURLToPath(home) : home)
}
