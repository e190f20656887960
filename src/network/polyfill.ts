/**
 * `Promise.withResolvers`, which libp2p and kad-dht call as they start and Node 20 lacks. Import this file before
 * any module of libp2p. Can go when Node 22 is the oldest one supported.
 */
interface PromiseConstructorWithResolvers {
  withResolvers?: () => {
    promise: Promise<unknown>
    resolve: (value: unknown) => void
    reject: (reason?: unknown) => void
  }
}

const constructor = Promise as PromiseConstructorWithResolvers
constructor.withResolvers ??= function withResolvers() {
  let resolve!: (value: unknown) => void
  let reject!: (reason?: unknown) => void
  const promise = new Promise<unknown>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
