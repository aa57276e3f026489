import { Buffer } from 'node:buffer'
import { IdempotencyError } from '../errors.ts'
import type { RecoveryPoint } from '../record/record.ts'

/**
 * A journal as bytes that only grow: for each phase the lengths of name and output, 4 bytes each, then both. So a store
 * adds a phase without reading what is there; one that is added again takes the place of its first time.
 */
export function journalEntry({ name, output }: RecoveryPoint): Buffer {
  const text = Buffer.from(name)
  const lengths = Buffer.alloc(8)
  lengths.writeUInt32BE(text.length, 0)
  lengths.writeUInt32BE(output.length, 4)
  return Buffer.concat([lengths, text, output])
}

export function writeJournal(journal: ReadonlyMap<string, Uint8Array>): Buffer {
  return Buffer.concat([...journal].map(([name, output]) => journalEntry({ name, output })))
}

/** How long the bytes were that a journal was read from. */
const lengths = new WeakMap<ReadonlyMap<string, Uint8Array>, number>()

/** Bytes that a journal has in its store: more than it would be written in, where a phase was added again. */
export function storedLength(journal: ReadonlyMap<string, Uint8Array>): number {
  return lengths.get(journal) ?? writeJournal(journal).length
}

/** @throws IdempotencyError `record_corrupt` */
export function readJournal(bytes: Buffer): ReadonlyMap<string, Uint8Array> {
  const journal = new Map<string, Uint8Array>()
  for (let at = 0; at < bytes.length; ) {
    const nameEnd = bytes.length < at + 8 ? Infinity : at + 8 + bytes.readUInt32BE(at)
    const end = nameEnd === Infinity ? Infinity : nameEnd + bytes.readUInt32BE(at + 4)
    if (end > bytes.length)
      throw new IdempotencyError('record_corrupt', 'the store holds a journal that is cut off')
    journal.set(bytes.toString('utf8', at + 8, nameEnd), bytes.subarray(nameEnd, end))
    at = end
  }
  if (journal.size > 0) lengths.set(journal, bytes.length)
  return journal
}
