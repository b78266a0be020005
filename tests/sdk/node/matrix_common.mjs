// What the Node callers of the translation matrix share; see ../python/matrix_common.py for the orders in SDK_TEST
// and for what each scenario means.
import assert from 'node:assert/strict'

export const orders = JSON.parse(process.env.SDK_TEST)
export const { base, key, provider } = orders
export const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=='
export const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' } },
  required: ['city', 'days'],
  additionalProperties: false,
}
export const DESCRIPTION = 'The weather in a city'
const TEXT = 'Hello, wörld ✓'
const SYSTEM = 'You are the matrix.'
const PARIS = ['get_weather', { city: 'Paris', days: 3 }]
const ROME = ['get_weather', { city: 'Rome', days: 1 }]
const saysStopSequence = ['anthropic', 'cohere', 'bedrock'].includes(provider)
const showsThoughts = provider !== 'chat'
const countsReasoning = provider !== 'bedrock'

/** The SDK itself has no such thing. */
export class Skip extends Error {}

/** One request: each field that is set must be put where the SDK has it. */
const request = (scenario, fields) => ({
  model: `${orders.model}-${scenario}`,
  text: `This is scenario:${scenario} speaking`,
  max: 2000,
  // Called for each piece of text that comes while streaming.
  onPiece: () => {},
  ...fields,
})
/** What an SDK's typed objects say, and what it wants back as history. */
export const answer = () => ({ text: '', deltas: 0, thought: '', calls: [], stop: null, usage: null, history: null })

const eq = (what, have, want) => assert.deepEqual(have, want, `${what}: have ${JSON.stringify(have)}, want ${JSON.stringify(want)}`)
const oneOf = (what, have, want) => assert.ok(want.includes(have), `${what}: have ${have}, want one of ${want}`)
const both = async (run) => {
  await run(false)
  await run(true)
}

async function oneTool(sdk, stream, scenario = 'one_tool', think = false) {
  const ask = request(scenario, { tools: true, force: !think, stream, think, max: think ? 4000 : 2000 })
  const first = await sdk.ask(ask)
  eq('calls', first.calls.map((call) => call.slice(1)), [PARIS])
  eq('stop', first.stop, sdk.STOP.tools)
  if (think && showsThoughts) eq('thought', first.thought, 'Let me think about Paris.')
  const last = await sdk.ask({ ...ask, force: false, turn: [first, ['It is sunny in Paris']] })
  eq('after the result', last.text, 'It is sunny in Paris.')
}

async function parallelTools(sdk, stream) {
  const ask = request('parallel_tools', { tools: true, stream })
  const first = await sdk.ask(ask)
  eq('calls', first.calls.map((call) => call.slice(1)), [PARIS, ROME])
  const last = await sdk.ask({ ...ask, turn: [first, ['It is sunny in Paris', 'It is rainy in Rome']] })
  eq('after the results', last.text, 'It is sunny in Paris and rainy in Rome.')
}

async function usage(sdk, stream) {
  const reasoning = countsReasoning ? 10 : 0
  // What Cohere has cached it charges in full, and so it counts as any other input.
  const cached = provider === 'cohere' ? 0 : 40
  eq('usage', (await sdk.ask(request('usage', { stream }))).usage, { input: 100, cached, output: 30, reasoning })
}

async function fails(sdk, scenario, check) {
  await both(async (stream) => {
    const error = await sdk.ask(request(scenario, { stream })).then(() => null, (thrown) => thrown)
    assert.ok(error, `${scenario} did not fail`)
    check(error)
  })
}

async function breaks(sdk, scenario) {
  let pieces = 0
  const ask = request(scenario, { stream: true, onPiece: () => (pieces += 1) })
  const said = await sdk.ask(ask).then((ended) => ended, (thrown) => ({ thrown }))
  assert.ok(said.thrown, `a broken stream ended as if it were whole: ${JSON.stringify(said)}`)
  assert.ok(pieces > 0, `the stream did not even begin: ${said.thrown}`)
  assert.ok(!(said.thrown instanceof TypeError && /undefined|null/.test(said.thrown.message)), String(said.thrown))
}

const scenarios = {
  async text(sdk) {
    const said = await sdk.ask(request('text', { system: SYSTEM }))
    eq('text', [said.text, said.stop], [TEXT, sdk.STOP.end])
  },
  async stream(sdk) {
    const said = await sdk.ask(request('text', { system: SYSTEM, stream: true }))
    eq('text', [said.text, said.stop], [TEXT, sdk.STOP.end])
    assert.ok(said.deltas > 1, `the text came in ${said.deltas} delta(s)`)
  },
  async dialogue(sdk) {
    eq('text', (await sdk.ask(request('dialogue', { dialogue: ['the first answer', 'and then?'] }))).text, TEXT)
  },
  one_tool: (sdk) => oneTool(sdk, false),
  one_tool_stream: (sdk) => oneTool(sdk, true),
  parallel_tools: (sdk) => parallelTools(sdk, false),
  parallel_tools_stream: (sdk) => parallelTools(sdk, true),
  async image(sdk) {
    const bytes = Buffer.from(PIXEL, 'base64').length
    eq('text', (await sdk.ask(request('image', { image: true }))).text, `I see image/png of ${bytes} bytes`)
  },
  reasoning: (sdk) => oneTool(sdk, false, 'reasoning', true),
  reasoning_stream: (sdk) => oneTool(sdk, true, 'reasoning', true),
  async json_schema(sdk) {
    eq('json', JSON.parse((await sdk.ask(request('json_schema', { schema: SCHEMA }))).text), PARIS[1])
  },
  length: (sdk) => both(async (stream) => eq('stop', (await sdk.ask(request('length', { max: 16, stream }))).stop, sdk.STOP.length)),
  stop_sequence: (sdk) =>
    both(async (stream) => {
      const want = saysStopSequence ? sdk.STOP.sequence : sdk.STOP.end
      eq('stop', (await sdk.ask(request('stop_sequence', { stop: ['END'], stream }))).stop, want)
    }),
  refusal: (sdk) => both(async (stream) => oneOf('stop', (await sdk.ask(request('refusal', { stream }))).stop, sdk.STOP.filter)),
  usage: (sdk) => usage(sdk, false),
  usage_stream: (sdk) => usage(sdk, true),
  error_400: (sdk) =>
    fails(sdk, 'error_400', (error) => {
      eq('status', sdk.status(error), 400)
      assert.match(String(error.message) + (error.responseBody ?? ''), /the matrix says no/)
    }),
  error_429: (sdk) =>
    fails(sdk, 'error_429', (error) => eq('error', [sdk.status(error), sdk.header(error, 'retry-after')], [429, '7'])),
  overload: (sdk) => fails(sdk, 'overload', (error) => oneOf('status', sdk.status(error), [503, 529])),
  cut: (sdk) => breaks(sdk, 'cut'),
  error_mid_stream: (sdk) => breaks(sdk, 'error_mid_stream'),
  async agent(sdk) {
    if (!sdk.agent) throw new Skip('this SDK has no loop of its own')
    eq('answer', await sdk.agent(request('agent', {})), 'The answer is 42.')
  },
}

/** Runs what was ordered of `dialect` through `sdk`. */
export async function run(caller, dialect, sdk) {
  for (const scenario of orders.scenarios[dialect] ?? []) {
    const said = await scenarios[scenario](sdk).then(
      () => [true, ''],
      (error) => [error instanceof Skip ? null : false, error instanceof Skip || error.code === 'ERR_ASSERTION' ? error.message : String(error)],
    )
    console.log(JSON.stringify({ caller, dialect, scenario, ok: said[0], detail: said[1].slice(0, 600) }))
  }
}
