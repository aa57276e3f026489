import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkEvidence, type Measurement, readEvidence, recordEvidence, renderEvidence } from './evidence.ts'

const measurement: Measurement = {
  command: 'pnpm bench maglev',
  seed: 7,
  versions: { hashring: '3.2.0', 'consistent-hash': '1.2.2' },
  columns: ['subject', 'ns per call'],
  rows: [
    ['ours', 12.5],
    ['hashring', 1e21],
  ],
  notes: ['hashring is ahead\nin balance'],
}
const page = '# maglev\n\n<!-- evidence:lookup -->\n<!-- /evidence -->\n\nthe end\n'
let root = ''
let home = ''

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'evidence-'))
  home = join(root, 'packages', 'maglev')
  mkdirSync(home, { recursive: true })
  writeFileSync(join(root, 'pnpm-workspace.yaml'), '')
  writeFileSync(join(home, 'README.md'), page)
})
afterEach(() => rmSync(root, { recursive: true }))

function read(...path: string[]): string {
  return readFileSync(join(root, ...path), 'utf8')
}

describe('recordEvidence', () => {
  test('renders the table where the README marks its place', () => {
    recordEvidence(home, 'lookup', measurement)
    const machine = readEvidence(home)['lookup']?.machine
    expect(machine?.node).toBe(process.version)
    expect(read('packages/maglev/README.md')).toBe(`# maglev

<!-- evidence:lookup -->

| subject | ns per call |
| --- | ---: |
| ours | 12.5 |
| hashring | 1e+21 |

- hashring is ahead<br>in balance

<sub>\`pnpm bench maglev\`, seed 7 · consistent-hash 1.2.2, hashring 3.2.0 · ${machine?.cpu}, ${machine?.cores} cores, ${machine?.memory}, ${machine?.os}, Node ${process.version} · ${new Date().toISOString().slice(0, 10)}</sub>

<!-- /evidence -->

the end
`)
    expect(checkEvidence(home)).toEqual([])
  })

  test('keeps the other sections, in one order whatever was recorded first', () => {
    recordEvidence(home, 'lookup', measurement)
    recordEvidence(pathToFileURL(home), 'build', measurement)
    const first = read('packages/maglev/evidence.json')
    rmSync(join(home, 'evidence.json'))
    recordEvidence(home, 'build', measurement)
    recordEvidence(home, 'lookup', { ...measurement, rows: [['ours', 1]] })
    recordEvidence(home, 'lookup', measurement)
    expect(read('packages/maglev/evidence.json')).toBe(first)
    expect(Object.keys(JSON.parse(first))).toEqual(['build', 'lookup'])
    expect(first).toContain('\n      ["ours", 12.5],\n')
    expect(readdirSync(home).toSorted()).toEqual(['README.md', 'evidence.json'])
  })

  test('renders the root README too, whose sections name the package', () => {
    writeFileSync(join(root, 'README.md'), page.replace('evidence:lookup', 'evidence:maglev/lookup'))
    expect(checkEvidence(root)).toEqual([
      expect.stringContaining('no evidence was recorded for maglev/lookup'),
    ])
    recordEvidence(home, 'lookup', measurement)
    expect(read('README.md')).toContain('| ours | 12.5 |')
    expect(checkEvidence(root)).toEqual([])
  })

  test('a package without a README has its evidence all the same', () => {
    rmSync(join(home, 'README.md'))
    recordEvidence(home, 'lookup', measurement)
    expect(checkEvidence(home)).toEqual(['maglev/README.md: nothing shows the evidence of lookup'])
  })

  test.each<[string, string, Partial<Measurement>, RegExp]>([
    ['the section', '__proto__', {}, /kebab-case, received "__proto__"/],
    ['a short row', 'a', { rows: [['ours']] }, /evidence of a: row 0 must have 2 cells/],
    ['NaN', 'a', { rows: [['ours', Number.NaN]] }, /row 0 holds no number or text/],
    ['no column', 'a', { columns: [], rows: [] }, /columns must be texts/],
    ['a path of this machine', 'a', { notes: [`see ${process.cwd()}/x`] }, /holds the path/],
  ])('refuses %s and writes nothing', (_, section, change, message) => {
    expect(() => recordEvidence(home, section, { ...measurement, ...change })).toThrow(message)
    expect(readdirSync(home)).toEqual(['README.md'])
  })

  test('does not write over a file that it does not understand', () => {
    writeFileSync(join(home, 'evidence.json'), '{"lookup": {"command": "x"')
    expect(() => recordEvidence(home, 'lookup', measurement)).toThrow('maglev/evidence.json is not JSON')
    expect(read('packages/maglev/evidence.json')).toBe('{"lookup": {"command": "x"')
    expect(checkEvidence(home)).toEqual(['maglev/README.md: maglev/evidence.json is not JSON'])
    writeFileSync(join(home, 'evidence.json'), '{"lookup": {"command": "x"}}')
    expect(checkEvidence(home)).toEqual(['maglev/README.md: maglev/evidence.json: lookup: date is missing'])
  })
})

describe('checkEvidence', () => {
  test('finds a figure changed by hand, on either side', () => {
    recordEvidence(home, 'lookup', measurement)
    const rendered = read('packages/maglev/README.md')
    writeFileSync(join(home, 'README.md'), rendered.replace('12.5', '11.5'))
    const complaint =
      'maglev/README.md: the table of lookup differs from evidence.json; run pnpm bench maglev'
    expect(checkEvidence(home)).toEqual([complaint])
    writeFileSync(join(home, 'README.md'), rendered)
    expect(checkEvidence(home)).toEqual([])
    const json = read('packages/maglev/evidence.json')
    writeFileSync(join(home, 'evidence.json'), json.replace('12.5', '11.5'))
    expect(checkEvidence(home)).toEqual([complaint])
  })

  test('finds a section never recorded, and one that is never shown', () => {
    expect(checkEvidence(home)).toEqual(['maglev/README.md: no evidence was recorded for lookup'])
    recordEvidence(home, 'lookup', measurement)
    recordEvidence(home, 'build', measurement)
    expect(checkEvidence(home)).toEqual(['maglev/README.md: nothing shows the evidence of build'])
  })

  test.each([
    ['<!-- evidence:lookup -->\n', 'evidence:lookup is never closed'],
    ['<!-- evidence:a -->\n<!-- evidence:b -->\n<!-- /evidence -->\n', 'evidence:a is never closed'],
    ['<!-- /evidence -->\n', 'a <!-- /evidence --> closes nothing'],
  ])('finds a marker without its counterpart: %j', (markdown, complaint) => {
    writeFileSync(join(home, 'README.md'), markdown)
    expect(checkEvidence(home)).toEqual([`maglev/README.md: ${complaint}`])
  })
})

describe('renderEvidence', () => {
  const recorded = (cell: string) => ({
    lookup: {
      ...measurement,
      rows: [[cell, 1]],
      machine: { cpu: 'x', cores: 1, memory: '1 GiB', os: 'x', node: 'v1' },
      date: '2026-01-01',
    },
  })

  test.each([
    ['a|b', String.raw`a\|b`],
    [String.raw`a\|b`, String.raw`a\\\|b`],
    ['a\r\n  b\n', 'a<br>b'],
    ['<!-- /evidence -->', '&lt;!-- /evidence -->'],
  ])('keeps the cell %j a cell', (cell, rendered) => {
    const once = renderEvidence(page, recorded(cell))
    expect(once).toContain(`\n| ${rendered} | 1 |\n`)
    expect(renderEvidence(once, recorded(cell))).toBe(once)
  })

  test('leaves alone what it has no evidence for, and inherited names', () => {
    const markdown = page + page.replace('lookup', 'constructor')
    expect(renderEvidence(markdown, {})).toBe(markdown)
  })
})
