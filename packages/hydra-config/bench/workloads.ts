import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { layers } from './tree.ts'

/** 1,000 strings of two interpolations each. */
export function thousandStrings(): string {
  const lines = Array.from({ length: 1000 }, (_, at) => `s${at}: "\${host}:\${ports.p${at % 10}}/${at}"`)
  const ports = Array.from({ length: 10 }, (_, at) => `  p${at}: ${3000 + at}`)
  return ['host: localhost', 'ports:', ...ports, ...lines, ''].join('\n')
}

/** So many keys, each of which leads to the next. */
export function chain(length: number): string {
  const lines = Array.from({ length }, (_, at) => `k${at}: \${k${at + 1}}`)
  return `${lines.join('\n')}\nk${length}: end\n`
}

/** The two layers for each of the peers, in the files that each reads. */
export function writeLayers({ base, over }: ReturnType<typeof layers>): string {
  const folder = mkdtempSync(join(tmpdir(), 'hydra-config-bench-'))
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)
  for (const name of ['base.json', 'default.json']) write(name, JSON.stringify(base))
  write('production.json', JSON.stringify(over))
  write('over.json', JSON.stringify({ extends: './base.json', ...over }))
  write('base.yaml', yaml(base))
  write('over.yaml', `extends: ./base.yaml\n${yaml(over)}`)
  mkdirSync(join(folder, 'conf', 'env'), { recursive: true })
  write('conf/app.yaml', `defaults:\n- _self_\n- env: development\n${yaml(base)}`)
  write('conf/env/development.yaml', '# @package _global_\n{}\n')
  write('conf/env/production.yaml', `# @package _global_\n${yaml(over)}`)
  return folder
}

function yaml(layer: Record<string, object>): string {
  const lines = Object.entries(layer).map(([group, values]) => {
    const inner = Object.entries(values).map(([key, value]) => `  ${key}: ${String(value)}\n`)
    return `${group}:\n${inner.join('')}`
  })
  return lines.join('')
}
