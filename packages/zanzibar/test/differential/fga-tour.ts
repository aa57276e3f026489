const model = `model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member]
type document
  relations
    define parent: [document]
    define owner: [user]
    define blocked: [user]
    define editor: [user with in_time] or owner
    define viewer: ([user:*, group#member] or editor or viewer from parent) but not blocked
condition in_time(now: timestamp, until: timestamp) {
  now < until
}
`

const storeTuples = `tuples:
  - user: user:anne
    relation: member
    object: group:eng
  - user: group:eng#member
    relation: viewer
    object: document:plan
  - user: user:*
    relation: viewer
    object: document:public
  - user: user:bob
    relation: blocked
    object: document:public
  - user: user:carl
    relation: editor
    object: document:draft
    condition:
      name: in_time
      context:
        until: 2026-01-01T00:00:00Z
`

function tests(anne: boolean): string {
  return `tests:
  - name: viewers
    description: who may see
    tuples:
      - user: user:dan
        relation: member
        object: group:eng
    check:
      - user: user:anne
        object: document:plan
        assertions:
          viewer: ${anne}
          owner: false
      - user: user:carl
        object: document:draft
        context:
          now: 2025-06-01T00:00:00Z
        assertions:
          viewer: true
    list_objects:
      - user: user:anne
        type: document
        context:
          now: 2025-06-01T00:00:00Z
        assertions:
          viewer:
            - document:plan
            - document:public
    list_users:
      - object: document:plan
        user_filter:
          - type: user
        assertions:
          viewer:
            users:
              - user:anne
              - user:dan
`
}

const indented = model.replaceAll(/^/gm, '  ')

/** The files that the commands name. */
export const fgaFiles: Readonly<Record<string, string>> = {
  'model.fga': model,
  'next.fga': model.replace('define owner: [user]', 'define owner: [user, group#member]'),
  'broken.fga': model.replace('[user, group#member]', '[user, nobody]'),
  'model.json': JSON.stringify({
    schema_version: '1.1',
    type_definitions: [
      { type: 'user' },
      {
        type: 'note',
        relations: { reader: { this: {} } },
        metadata: { relations: { reader: { directly_related_user_types: [{ type: 'user' }] } } },
      },
    ],
  }),
  'tuples.yaml': `- user: user:anne
  relation: member
  object: group:eng
- user: group:eng#member
  relation: viewer
  object: document:plan
- user: document:plan
  relation: parent
  object: document:part
`,
  'tuples.json': JSON.stringify([
    { user: 'user:bob', relation: 'blocked', object: 'document:plan' },
    {
      user: 'user:carl',
      relation: 'editor',
      object: 'document:draft',
      condition: { name: 'in_time', context: { until: '2026-01-01T00:00:00Z' } },
    },
  ]),
  'tuples.csv': `user_type,user_id,user_relation,relation,object_type,object_id,condition_name,condition_context
user,dan,,owner,document,public,,
user,*,,viewer,document,public,,
group,eng,member,viewer,document,public,,
`,
  'refused.yaml': `- user: user:anne
  relation: nothing
  object: group:eng
- user: user:gina
  relation: member
  object: group:eng
`,
  'store.fga.yaml': `name: Documents\nmodel: |\n${indented}${storeTuples}${tests(true)}`,
  'failing.fga.yaml': `name: Documents\nmodel: |\n${indented}${storeTuples}${tests(false)}`,
}

const inStore = '--store-id $1'
const one = '--max-parallel-requests 1'
const now = '--context {"now":"2025-06-01T00:00:00Z"}'

/** Commands of `fga`, one after the other. `$1` is the first id that came: of the store; `$2` that of its model; `~` a space. */
export const fgaTour: readonly string[] = [
  'store create --name tour',
  'store list',
  `store get ${inStore}`,
  `model write ${inStore} --file model.fga`,
  `model write ${inStore} --file next.fga`,
  `model write ${inStore} --file model.json`,
  `model write ${inStore} --file broken.fga`,
  `model list ${inStore}`,
  `model list ${inStore} --max-pages 1 --field id`,
  `model get ${inStore} --model-id $2`,
  `model get ${inStore} --model-id $2 --format json`,
  `model get ${inStore}`,
  `model get ${inStore} --model-id 01ARZ3NDEKTSV4RRFFQ69G5FAV`,
  'model validate --file model.fga',
  'model validate --file broken.fga',
  `tuple write ${inStore} --model-id $2 user:erin owner document:plan`,
  `tuple write ${inStore} --model-id $2 user:erin owner document:plan`,
  `tuple write ${inStore} --model-id $2 user:erin owner document:plan --on-duplicate ignore`,
  `tuple write ${inStore} --model-id $2 user:erin nothing document:plan`,
  `tuple write ${inStore} --model-id $2 user:fay editor document:draft --condition-name in_time --condition-context {"until":"2024-01-01T00:00:00Z"}`,
  `tuple write ${inStore} --model-id $2 user:fay editor document:part`,
  `tuple write ${inStore} --model-id $2 --file tuples.yaml ${one}`,
  `tuple write ${inStore} --model-id $2 --file tuples.json ${one}`,
  `tuple write ${inStore} --model-id $2 --file tuples.csv --max-tuples-per-write 10 ${one}`,
  `tuple write ${inStore} --model-id $2 --file refused.yaml ${one}`,
  `tuple read ${inStore}`,
  `tuple read ${inStore} --object document:plan`,
  `tuple read ${inStore} --user user:anne --object group:`,
  `tuple read ${inStore} --user user:dan --relation owner --object document:public`,
  `tuple read ${inStore} --max-pages 0 --output-format simple-json`,
  `tuple read ${inStore} --max-pages 0 --output-format csv`,
  `tuple changes ${inStore} --max-pages 0`,
  `tuple changes ${inStore} --type group`,
  `tuple changes ${inStore} --type nothing`,
  `query check ${inStore} --model-id $2 user:anne viewer document:plan`,
  `query check ${inStore} --model-id $2 user:anne viewer document:part --consistency HIGHER_CONSISTENCY`,
  `query check ${inStore} --model-id $2 user:bob viewer document:plan`,
  `query check ${inStore} --model-id $2 user:carl viewer document:draft ${now}`,
  `query check ${inStore} --model-id $2 user:carl viewer document:draft`,
  `query check ${inStore} --model-id $2 user:zoe viewer document:plan --contextual-tuple user:zoe~owner~document:plan`,
  `query check ${inStore} --model-id $2 user:zoe nothing document:plan`,
  `query check ${inStore} --model-id $2 zoe viewer document:plan`,
  `query list-objects ${inStore} --model-id $2 user:anne viewer document ${now}`,
  `query list-objects ${inStore} --model-id $2 user:anne viewer document`,
  `query list-objects ${inStore} --model-id $2 user:nobody owner document`,
  `query list-objects ${inStore} --model-id $2 user:anne viewer nothing`,
  `query list-users ${inStore} --model-id $2 --object document:plan --relation viewer --user-filter user`,
  `query list-users ${inStore} --model-id $2 --object document:public --relation viewer --user-filter user`,
  `query list-users ${inStore} --model-id $2 --object document:plan --relation viewer --user-filter group#member`,
  `query list-users ${inStore} --model-id $2 --object document:plan --relation nothing --user-filter user`,
  `query expand ${inStore} --model-id $2 viewer document:plan`,
  `query expand ${inStore} --model-id $2 editor document:draft`,
  `query expand ${inStore} --model-id $2 nothing document:plan`,
  `query list-relations ${inStore} --model-id $2 user:erin document:plan ${now}`,
  `query list-relations ${inStore} --model-id $2 user:erin document:plan --relation owner --relation blocked`,
  `query list-relations ${inStore} --model-id $2 user:erin nothing:plan`,
  `tuple delete ${inStore} user:erin owner document:plan`,
  `tuple delete ${inStore} user:erin owner document:plan`,
  `tuple delete ${inStore} user:erin owner document:plan --on-missing ignore`,
  `tuple delete ${inStore} --file tuples.yaml ${one}`,
  `tuple read ${inStore} --max-pages 0`,
  `tuple changes ${inStore} --max-pages 0`,
  `model test --tests store.fga.yaml ${inStore} --model-id $2`,
  'model test --tests store.fga.yaml',
  'model test --tests failing.fga.yaml',
  `store export ${inStore} --model-id $2`,
  `store export ${inStore} --model-id $2 --output-file exported.yaml`,
  `store import --file store.fga.yaml ${one}`,
  `store import --file store.fga.yaml ${inStore} ${one}`,
  'store list',
  `store delete ${inStore} --force`,
  `store get ${inStore}`,
  'query check --store-id 01ARZ3NDEKTSV4RRFFQ69G5FAV user:anne viewer document:plan',
]
