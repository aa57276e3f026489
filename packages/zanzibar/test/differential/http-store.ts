/** What they are asked about. */
export const model = {
  schema_version: '1.1',
  type_definitions: [
    { type: 'user' },
    {
      type: 'group',
      relations: { member: { this: {} } },
      metadata: {
        relations: {
          member: {
            directly_related_user_types: [
              { type: 'user' },
              { type: 'group', relation: 'member' },
              { type: 'user', wildcard: {} },
            ],
          },
        },
      },
    },
    {
      type: 'folder',
      relations: { viewer: { this: {} }, parent: { this: {} } },
      metadata: {
        relations: {
          parent: { directly_related_user_types: [{ type: 'folder' }] },
          viewer: {
            directly_related_user_types: [{ type: 'user' }, { type: 'user', condition: 'in_range' }],
          },
        },
      },
    },
    {
      type: 'document',
      relations: {
        parent: { this: {} },
        owner: { this: {} },
        blocked: { this: {} },
        viewer: {
          difference: {
            base: {
              union: {
                child: [
                  { this: {} },
                  { computedUserset: { relation: 'owner' } },
                  {
                    tupleToUserset: {
                      tupleset: { relation: 'parent' },
                      computedUserset: { relation: 'viewer' },
                    },
                  },
                ],
              },
            },
            subtract: { computedUserset: { relation: 'blocked' } },
          },
        },
        both: {
          intersection: {
            child: [{ computedUserset: { relation: 'viewer' } }, { computedUserset: { relation: 'owner' } }],
          },
        },
      },
      metadata: {
        relations: {
          parent: { directly_related_user_types: [{ type: 'folder' }] },
          owner: { directly_related_user_types: [{ type: 'user' }] },
          blocked: { directly_related_user_types: [{ type: 'user' }, { type: 'group', relation: 'member' }] },
          viewer: {
            directly_related_user_types: [
              { type: 'user' },
              { type: 'user', wildcard: {} },
              { type: 'group', relation: 'member' },
              { type: 'user', condition: 'in_range' },
            ],
          },
        },
      },
    },
  ],
  conditions: {
    in_range: {
      name: 'in_range',
      expression: "x < 10 && tag == 'a'",
      parameters: { x: { type_name: 'TYPE_NAME_INT' }, tag: { type_name: 'TYPE_NAME_STRING' } },
    },
  },
}

/** What every store begins with. */
export const tuples: readonly object[] = [
  { user: 'user:anne', relation: 'owner', object: 'document:1' },
  { user: 'user:*', relation: 'viewer', object: 'document:2' },
  { user: 'group:eng#member', relation: 'viewer', object: 'document:3' },
  { user: 'user:bob', relation: 'member', object: 'group:eng' },
  { user: 'group:ops#member', relation: 'member', object: 'group:eng' },
  { user: 'user:carl', relation: 'member', object: 'group:ops' },
  { user: 'folder:a', relation: 'parent', object: 'document:1' },
  {
    user: 'user:dan',
    relation: 'viewer',
    object: 'folder:a',
    condition: { name: 'in_range', context: { tag: 'a' } },
  },
  { user: 'user:eve', relation: 'viewer', object: 'document:4', condition: { name: 'in_range' } },
  { user: 'user:carl', relation: 'blocked', object: 'document:3' },
  { user: 'user:bob', relation: 'blocked', object: 'document:2' },
  { user: 'folder:a', relation: 'parent', object: 'folder:b' },
]
