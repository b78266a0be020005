// What the SDK scripts share; see ../python/common.py for the orders in SDK_TEST.
import assert from 'node:assert/strict'

export const orders = JSON.parse(process.env.SDK_TEST)
export const TEXT = 'Hello, wörld ✓'
export const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=='
const results = {}

/** Records one result; ends the script when it is not what it must be. */
export function check(name, have, want) {
  results[name] = have
  assert.deepEqual(have, want, `${name}: ${JSON.stringify(have)}`)
}

/** Each ordered failure arrives as the SDK's own exception type for its status. */
export async function checkErrors(classes, ask) {
  for (const order of orders.errors) {
    const name = `error ${order.status} ${order.model}`
    const error = await ask(order.key, order.model).then(() => null, (thrown) => thrown)
    check(`${name} class`, error instanceof classes[order.status], true)
    check(name, error.status, order.status)
  }
}

export function done() {
  console.log(JSON.stringify(results))
}
