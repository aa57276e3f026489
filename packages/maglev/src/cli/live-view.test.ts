import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { type LiveBackend, type LiveView, renderLiveView } from './live-view.ts'

const backends: LiveBackend[] = [
  { id: '10.0.0.1:80', state: 'healthy', slots: 67, moved: 34, active: 12 },
  { id: '10.0.0.2:80', state: 'unhealthy', slots: 0, moved: -34, active: 0 },
  { id: '10.0.0.3:80', state: 'draining', slots: 33, moved: 0, active: 3 },
]

const view: LiveView = {
  title: 'maglev',
  tableSize: 100,
  backends,
  traffic: 'open 3',
  events: ['one', 'two'],
}

function plain(size: { columns: number; rows: number }, of: LiveView = view): string[] {
  return renderLiveView(of, size).map((line) => stripVTControlCharacters(line))
}

test('each backend has its state, share and movement', () => {
  expect(plain({ columns: 120, rows: 30 })).toEqual([
    'maglev',
    '',
    'BACKEND      STATE       ACTIVE    SLOTS     SHARE                          MOVED',
    '10.0.0.1:80  healthy         12       67   67.00 %  ████████████████████      +34',
    '10.0.0.2:80  unhealthy        0        0    0.00 %                            -34',
    '10.0.0.3:80  draining         3       33   33.00 %  ██████████                   ',
    '',
    'open 3',
    'one',
    'two',
  ])
})

test('nothing is wider or longer than the terminal', () => {
  const many = Array.from({ length: 500 }, (_, n) => ({
    id: `backend-with-a-long-name-${n}.internal.example:8080`,
    state: 'healthy' as const,
    slots: undefined,
    moved: 0,
    active: 0,
  }))
  for (const [columns, rows] of [
    [40, 12],
    [80, 24],
    [200, 60],
  ] as const) {
    const lines = plain({ columns, rows }, { ...view, backends: many })
    expect(lines.length).toBeLessThan(rows)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns)
    expect(lines.join('\n')).toMatch(/… and \d+ more/)
  }
})
