/**
 * What a client of Redis talks to: `redis://host:port/database`, of a cluster the nodes that it was given; without user and
 * password. `redis` where it has none of these.
 */
export function redisName(client: unknown): string {
  const nodes = partOf(client, 'startupNodes') ?? partOf(partOf(client, '_options'), 'rootNodes')
  if (Array.isArray(nodes)) {
    const hosts = nodes.map(hostOf).filter((host) => host !== undefined)
    return hosts.length === 0 ? 'redis' : `redis://${hosts.join(',')}`
  }
  const options = partOf(client, 'options')
  const address = addressOf(partOf(options, 'url'))
  if (address !== undefined)
    return `redis://${address.host}${address.pathname === '/' ? '/0' : address.pathname}`
  const host = hostOf(options)
  const database = partOf(options, 'database') ?? partOf(options, 'db') ?? 0
  return host === undefined ? 'redis' : `redis://${host}/${Number(database)}`
}

export function partOf(whole: unknown, name: string): unknown {
  return typeof whole === 'object' && whole !== null ? Reflect.get(whole, name) : undefined
}

/** Of a node: a URL, `host:port`, a port, or options. */
function hostOf(node: unknown): string | undefined {
  if (typeof node === 'number') return `127.0.0.1:${node}`
  const address = addressOf(partOf(node, 'url') ?? node)
  if (address !== undefined) return address.host
  const socket = partOf(node, 'socket') ?? node
  const [host, port] = [partOf(socket, 'host'), partOf(socket, 'port')]
  return typeof host === 'string' ? `${host}:${Number(port)}` : undefined
}

function addressOf(url: unknown): URL | undefined {
  if (typeof url !== 'string') return undefined
  return URL.parse(url.includes('://') ? url : `redis://${url}`) ?? undefined
}
