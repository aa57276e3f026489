import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { secretFrom } from './secret-source.ts'

const digits = '00112233445566778899aabbccddeeff'

test('a secret is read from a variable or a file, a line end after it or not', () => {
  const folder = mkdtempSync(join(tmpdir(), 'maglev-secret-'))
  process.env['MAGLEV_TEST_SECRET'] = digits
  try {
    writeFileSync(join(folder, 'secret'), `${digits}\n`)
    const bytes = Buffer.from(digits, 'hex')
    expect(Buffer.from(secretFrom('env:MAGLEV_TEST_SECRET'))).toEqual(bytes)
    expect(Buffer.from(secretFrom(`file:${join(folder, 'secret')}`))).toEqual(bytes)
  } finally {
    delete process.env['MAGLEV_TEST_SECRET']
    rmSync(folder, { recursive: true })
  }
})

test('one on the command line, a wrong one and none are refused, and never shown', () => {
  const wrong = `${digits}ff`
  process.env['MAGLEV_TEST_SECRET'] = wrong
  try {
    for (const word of [
      digits,
      'env:MAGLEV_TEST_SECRET',
      'env:MAGLEV_TEST_NO_SECRET',
      'file:/nowhere/secret',
      'env:',
      '',
    ]) {
      const refused = expect.objectContaining({
        code: 'INVALID_OPTION',
        message: expect.not.stringContaining(digits),
      })
      expect(() => secretFrom(word)).toThrow(refused)
    }
  } finally {
    delete process.env['MAGLEV_TEST_SECRET']
  }
})
