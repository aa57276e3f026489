import { expect, test } from 'vitest'
import { plot } from './plot.ts'

async function figure(...args: string[]): Promise<string> {
  return plot.run([
    '--backends',
    '50',
    '--size',
    '5003',
    '--size',
    '10007',
    '--failures',
    '0,2,10',
    '--runs',
    '2',
    ...args,
  ])
}

/** The y of each point of the line with that colour, in pixels from the top. */
function heights(svg: string, color: string): number[] {
  const [, points = ''] = new RegExp(`<polyline class="line ${color}" points="([^"]*)"`).exec(svg) ?? []
  return points.split(' ').map((point) => Number(point.split(',')[1]))
}

test('the figure of collateral moves shows more of them on the smaller table, and none in mode stable', async () => {
  const svg = await figure('collateral')
  const [small, large, stable] = ['c0', 'c1', 'c2'].map((color) => heights(svg, color))
  const bottom = small?.[0] ?? 0
  expect(stable).toEqual([bottom, bottom, bottom])
  expect(small?.[1]).toBeLessThan(bottom)
  expect(small?.[2]).toBeLessThan(large?.[2] ?? 0)
  expect(svg).toContain('classic, 5,003 slots')
  expect(svg).toContain('Collateral moves (% of all keys)')
  expect(svg).toContain('prefers-color-scheme: dark')
})

test('the figure of shares shows how far the shares of each way reach: as figure 11, Maglev evenly, the others not', async () => {
  const svg = await figure('share')
  const bars = [...svg.matchAll(/<rect class="bar c(\d)" .* y="([\d.]+)" height="([\d.]+)"/g)]
  const marks = [...svg.matchAll(/<text class="quiet mark"[^>]*>([\d.]+)</g)].map(([, value]) =>
    Number(value),
  )
  expect(bars.map(([, color]) => color)).toEqual(['0', '1', '0', '1', '0', '1', '0', '1'])
  const ranges = bars.map((_, index) => ({
    largest: marks[2 * index] ?? 0,
    smallest: marks[2 * index + 1] ?? 0,
  }))
  const [maglev, , failed, , ring, largeRing, rendezvous, largeRendezvous] = ranges
  // 5,003 slots among 50: 100 or 101 each; 45 are left of which each has 111 or 112.
  expect(maglev).toEqual({ largest: 100.9, smallest: 99.9 })
  expect(failed?.largest).toBeLessThan(102)
  for (const other of [ring, rendezvous, largeRing, largeRendezvous]) {
    expect(other?.largest).toBeGreaterThan(103)
    expect(other?.smallest).toBeLessThan(97)
  }
  // The larger table is the evener one, as in the paper.
  expect(largeRendezvous?.largest).toBeLessThan(rendezvous?.largest ?? 0)
  expect(svg).toContain('>ring, 1,000 points<')
})

test('the figure of shares refuses what would take minutes', () => {
  expect(() => plot.run(['--backends', '100000', 'share'])).toThrow(/take fewer --backends/)
})

test('the same seed draws the same figure, another one another', async () => {
  expect(await figure('collateral', '--seed', '7')).toBe(await figure('collateral', '--seed', '7'))
  expect(await figure('collateral', '--seed', '7')).not.toBe(await figure('collateral', '--seed', '8'))
})
