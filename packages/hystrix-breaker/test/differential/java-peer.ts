import { join } from 'node:path'
import { type Oracle, startOracle } from '@loadbearing/harness/oracle'
import { findJava, type JavaProgram, type Missing } from '@loadbearing/tooling/foreign-programs'

/** `Peer`: resilience4j and concurrency-limits. The other: Hystrix. */
export type PeerClass = 'Peer' | 'com.netflix.hystrix.util.CommandPeer'

/** The real resilience4j, concurrency-limits or Hystrix in a JVM. Says why where it cannot be had. */
export function startJavaPeer(peer: PeerClass = 'Peer'): Oracle | Missing {
  return startJava({
    folder: join(import.meta.dirname, 'java'),
    files: ['Peer.java', 'CommandPeer.java'],
    main: peer,
    cache: 'hystrix-breaker-peer-2',
    jar: 'hystrix-core-1.5.18.jar',
  })
}

/** Starts a program in a JVM; its jars come from Maven Central, fetched once. Says why where it cannot be had. */
export function startJava(program: JavaProgram): Oracle | Missing {
  const found = findJava(program)
  return 'missing' in found ? found : startOracle({ ...found, timeout: '60s' })
}
