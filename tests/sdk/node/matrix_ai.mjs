// The Vercel AI SDK as a caller of the matrix, in four dialects, and its own agent loop.
globalThis.AI_SDK_LOG_WARNINGS = false
import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogleGenerativeAI } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import { Output, generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai'
import { DESCRIPTION, PIXEL, SCHEMA, Skip, answer, base, key, run } from './matrix_common.mjs'

const openai = createOpenAI({ baseURL: base + '/v1', apiKey: key })
const anthropic = createAnthropic({ baseURL: base + '/v1', apiKey: key })
const google = createGoogleGenerativeAI({ baseURL: base + '/v1beta', apiKey: key })
const weather = tool({ description: DESCRIPTION, inputSchema: jsonSchema(SCHEMA) })

/** The innermost error, which has the status and the headers. */
const call = (error) => error?.lastError ?? error?.cause ?? error

/** An adapter for `model`; `think` holds what each SDK wants to be told for reasoning, `always` what it is told anyway. */
const adapter = (model, think, limits = {}, always = {}) => ({
  STOP: { end: 'stop', length: 'length', sequence: 'stop', tools: 'tool-calls', filter: ['content-filter'] },
  status: (error) => call(error).statusCode,
  header: (error, name) => call(error).responseHeaders?.[name],
  async ask(ask) {
    for (const [field, why] of Object.entries(limits)) if (ask[field]) throw new Skip(why)
    const parts = [{ type: 'text', text: ask.text }, { type: 'image', image: PIXEL, mediaType: 'image/png' }]
    const messages = [{ role: 'user', content: ask.image ? parts : ask.text }]
    if (ask.dialogue) {
      messages.push({ role: 'assistant', content: ask.dialogue[0] }, { role: 'user', content: ask.dialogue[1] })
    }
    if (ask.turn) {
      const [first, results] = ask.turn
      const content = first.calls.map((made, at) => ({
        type: 'tool-result',
        toolCallId: made[0],
        toolName: made[1],
        output: { type: 'text', value: results[at] },
      }))
      messages.push(...first.history, { role: 'tool', content })
    }
    const fields = {
      model: model(ask.model),
      messages,
      maxOutputTokens: ask.max,
      maxRetries: 0,
      ...(ask.system && { system: ask.system }),
      ...(ask.tools && { tools: { get_weather: weather } }),
      ...(ask.force && { toolChoice: 'required' }),
      providerOptions: ask.think ? think : always,
      ...(ask.schema && { output: Output.object({ schema: jsonSchema(ask.schema) }) }),
      ...(ask.stop && { stopSequences: ask.stop }),
    }
    const said = answer()
    let result
    if (ask.stream) {
      const stream = streamText({ ...fields, onError: () => {} })
      for await (const part of stream.fullStream) {
        if (part.type === 'text-delta') {
          said.deltas += 1
          ask.onPiece()
        }
        if (part.type === 'error') throw part.error
      }
      result = stream
    } else {
      result = await generateText(fields)
    }
    said.text = await result.text
    said.thought = (await result.reasoningText) ?? ''
    said.calls = (await result.toolCalls).map((made) => [made.toolCallId, made.toolName, made.input])
    said.stop = await result.finishReason
    if (said.stop === 'error' || said.stop === 'other') throw new Error(`the stream ended with finish reason ${said.stop}`)
    said.history = (await result.response).messages
    const used = await result.usage
    said.usage = {
      input: used.inputTokens,
      cached: used.inputTokenDetails?.cacheReadTokens ?? used.cachedInputTokens ?? 0,
      output: used.outputTokens,
      reasoning: used.outputTokenDetails?.reasoningTokens ?? used.reasoningTokens ?? 0,
    }
    return said
  },
  async agent(ask) {
    const closed = (name) => jsonSchema({
      type: 'object',
      properties: { [name]: { type: 'string' } },
      required: [name],
      additionalProperties: false,
    })
    const result = await generateText({
      model: model(ask.model),
      prompt: ask.text,
      maxOutputTokens: ask.max,
      maxRetries: 0,
      providerOptions: always,
      stopWhen: stepCountIs(5),
      tools: {
        search: tool({
          description: 'Searches the web',
          inputSchema: closed('query'),
          execute: async ({ query }) => `for ${query}: https://example.test/found`,
        }),
        fetch: tool({
          description: 'Fetches a page',
          inputSchema: closed('url'),
          execute: async ({ url }) => `${url} says: the answer is 42`,
        }),
      },
    })
    return result.text
  },
})

await run(
  'ai (@ai-sdk/openai, chat)',
  'chat',
  adapter((name) => openai.chat(name), {}, { think: 'this SDK reads no thoughts out of chat completions' }),
)
// Without `store: false` it sends ids in the place of what was said; and it asks only models to think that it knows.
const stateless = { openai: { store: false, forceReasoning: true } }
await run(
  'ai (@ai-sdk/openai)',
  'responses',
  adapter(
    (name) => openai(name),
    { openai: { ...stateless.openai, reasoningEffort: 'low', reasoningSummary: 'auto' } },
    { stop: 'Responses has no stop sequences' },
    stateless,
  ),
)
await run(
  'ai (@ai-sdk/anthropic)',
  'anthropic',
  adapter(
    (name) => anthropic(name),
    { anthropic: { thinking: { type: 'enabled', budgetTokens: 1024 } } },
    {},
    // Models that it does not know it would ask by a tool for JSON.
    { anthropic: { structuredOutputMode: 'outputFormat' } },
  ),
)
await run(
  'ai (@ai-sdk/google)',
  'gemini',
  adapter((name) => google(name), { google: { thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 } } }),
)
