import { expect, test } from 'vitest'
import { readTupleCsv } from './tuple-csv.ts'

const head = 'user_type,user_id,user_relation,relation,object_type,object_id,condition_name,condition_context'

test('rows are tuples, of users, usersets and everyone, with their conditions', () => {
  const text = [
    head,
    'user,anne,,viewer,document,1,,',
    'group,g,member,viewer,document,1,,',
    '',
    'user,*,,viewer,document,2,in_office,"{""from"": 9, ""days"": [""mo,tu""]}"',
    'user,"a ""b""\nc",,viewer,document,3,in_office,',
  ].join('\r\n')
  expect(readTupleCsv(text, 'f.csv')).toEqual([
    { user: 'user:anne', relation: 'viewer', object: 'document:1' },
    { user: 'group:g#member', relation: 'viewer', object: 'document:1' },
    {
      user: 'user:*',
      relation: 'viewer',
      object: 'document:2',
      condition: { name: 'in_office', context: { from: 9, days: ['mo,tu'] } },
    },
    {
      user: 'user:a "b"\nc',
      relation: 'viewer',
      object: 'document:3',
      condition: { name: 'in_office', context: {} },
    },
  ])
})

test('columns stand in any order, and the optional ones need not be there', () => {
  const text = '\uFEFFobject_id, object_type,relation,user_id,user_type\n1,document,viewer,anne,user\n'
  expect(readTupleCsv(text, 'f.csv')).toEqual([
    { user: 'user:anne', relation: 'viewer', object: 'document:1' },
  ])
})

test.each([
  ['', "f.csv has no column 'user_type'"],
  ['user_type,user_id,relation,object_type\n', "f.csv has no column 'object_id'"],
  [`${head},note\n`, "f.csv has a column 'note' that no tuple has"],
  [`${head}\nuser,anne,viewer\n`, 'f.csv has 3 fields in row 1, not 8'],
  [`${head}\nuser,anne,,viewer,document,1,c,{`, 'f.csv has a condition_context in row 1 that is no JSON'],
  [`${head}\nuser,"anne,,viewer\n`, 'f.csv has a quote in line 2 that does not fit'],
])('%j is refused', (text, message) => {
  expect(() => readTupleCsv(text, 'f.csv')).toThrow(
    expect.objectContaining({ code: 'invalid_syntax', message }),
  )
})
