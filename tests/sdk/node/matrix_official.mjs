// The official OpenAI and Anthropic SDKs for Node as callers of the matrix.
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { DESCRIPTION, PIXEL, SCHEMA, Skip, answer, base, key, run } from './matrix_common.mjs'

const openai = new OpenAI({ baseURL: base + '/v1', apiKey: key, maxRetries: 0, timeout: 60_000 })
const anthropic = new Anthropic({ baseURL: base, apiKey: key, maxRetries: 0, timeout: 60_000 })
const named = { name: 'get_weather', description: DESCRIPTION, parameters: SCHEMA }
const url = 'data:image/png;base64,' + PIXEL
const common = { status: (error) => error.status, header: (error, name) => error.headers?.get(name) }

const chat = {
  ...common,
  STOP: { end: 'stop', length: 'length', sequence: 'stop', tools: 'tool_calls', filter: ['content_filter'] },
  async ask(ask) {
    const parts = [{ type: 'text', text: ask.text }, { type: 'image_url', image_url: { url } }]
    const messages = [{ role: 'user', content: ask.image ? parts : ask.text }]
    if (ask.system) messages.unshift({ role: 'system', content: ask.system })
    if (ask.dialogue) {
      messages.push({ role: 'assistant', content: ask.dialogue[0] }, { role: 'user', content: ask.dialogue[1] })
    }
    if (ask.turn) {
      const [first, results] = ask.turn
      messages.push(first.history)
      first.calls.forEach((call, at) => messages.push({ role: 'tool', tool_call_id: call[0], content: results[at] }))
    }
    const json_schema = { name: 'forecast', schema: ask.schema, strict: true }
    const fields = {
      model: ask.model,
      messages,
      max_completion_tokens: ask.max,
      ...(ask.tools && { tools: [{ type: 'function', function: named }] }),
      ...(ask.force && { tool_choice: 'required' }),
      ...(ask.think && { reasoning_effort: 'low' }),
      ...(ask.schema && { response_format: { type: 'json_schema', json_schema } }),
      ...(ask.stop && { stop: ask.stop }),
    }
    const said = answer()
    let whole
    if (ask.stream) {
      const stream = openai.chat.completions.stream({ ...fields, stream_options: { include_usage: true } })
      stream.on('content.delta', () => {
        said.deltas += 1
        ask.onPiece()
      })
      // The SDK joins the fields that it knows, and keeps the last delta of any other.
      let thought = ''
      stream.on('chunk', (chunk) => (thought += chunk.choices[0]?.delta.reasoning_content ?? ''))
      whole = await stream.finalChatCompletion()
      if (thought) whole.choices[0].message.reasoning_content = thought
    } else {
      whole = await openai.chat.completions.create(fields)
    }
    const { message, finish_reason } = whole.choices[0]
    said.text = message.content ?? ''
    said.thought = message.reasoning_content ?? message.reasoning ?? ''
    said.calls = (message.tool_calls ?? []).map((c) => [c.id, c.function.name, JSON.parse(c.function.arguments)])
    said.stop = finish_reason
    // What the SDK parsed for its caller's comfort is not part of the protocol.
    const { parsed, ...plain } = message
    const bare = ({ parsed_arguments, ...fn }) => fn
    said.history = plain.tool_calls
      ? { ...plain, tool_calls: plain.tool_calls.map((made) => ({ ...made, function: bare(made.function) })) }
      : plain
    const used = whole.usage
    said.usage = {
      input: used.prompt_tokens,
      cached: used.prompt_tokens_details?.cached_tokens ?? 0,
      output: used.completion_tokens,
      reasoning: used.completion_tokens_details?.reasoning_tokens ?? 0,
    }
    return said
  },
}

const responses = {
  ...common,
  STOP: { end: 'completed', length: 'max_output_tokens', tools: 'completed', filter: ['content_filter'] },
  async ask(ask) {
    if (ask.stop) throw new Skip('Responses has no stop sequences')
    const parts = [{ type: 'input_text', text: ask.text }, { type: 'input_image', detail: 'auto', image_url: url }]
    const input = [{ role: 'user', content: ask.image ? parts : ask.text }]
    if (ask.dialogue) {
      input.push({ role: 'assistant', content: ask.dialogue[0] }, { role: 'user', content: ask.dialogue[1] })
    }
    if (ask.turn) {
      const [first, results] = ask.turn
      input.push(...first.history)
      first.calls.forEach((call, at) => input.push({ type: 'function_call_output', call_id: call[0], output: results[at] }))
    }
    const fields = {
      model: ask.model,
      input,
      max_output_tokens: ask.max,
      store: false,
      ...(ask.system && { instructions: ask.system }),
      ...(ask.tools && { tools: [{ type: 'function', strict: true, ...named }] }),
      ...(ask.force && { tool_choice: 'required' }),
      ...(ask.think && { reasoning: { effort: 'low', summary: 'auto' }, include: ['reasoning.encrypted_content'] }),
      ...(ask.schema && { text: { format: { type: 'json_schema', name: 'forecast', schema: ask.schema, strict: true } } }),
    }
    const said = answer()
    let whole
    if (ask.stream) {
      const stream = openai.responses.stream(fields)
      for await (const event of stream) {
        if (event.type === 'response.output_text.delta') {
          said.deltas += 1
          ask.onPiece()
        }
        if (event.type === 'response.failed' || event.type === 'error') throw new OpenAI.OpenAIError(JSON.stringify(event))
      }
      whole = await stream.finalResponse()
    } else {
      whole = await openai.responses.create(fields)
    }
    for (const item of whole.output) {
      if (item.type === 'message') said.text += item.content.map((part) => part.text).join('')
      if (item.type === 'reasoning') said.thought += item.summary.map((part) => part.text).join('')
      if (item.type === 'function_call') said.calls.push([item.call_id, item.name, JSON.parse(item.arguments)])
    }
    said.stop = whole.incomplete_details?.reason ?? whole.status
    said.history = whole.output.map(({ parsed_arguments, ...rest }) => rest)
    const used = whole.usage
    said.usage = {
      input: used.input_tokens,
      cached: used.input_tokens_details.cached_tokens,
      output: used.output_tokens,
      reasoning: used.output_tokens_details.reasoning_tokens,
    }
    return said
  },
}

const messages = {
  ...common,
  STOP: { end: 'end_turn', length: 'max_tokens', sequence: 'stop_sequence', tools: 'tool_use', filter: ['refusal'] },
  async ask(ask) {
    const source = { type: 'base64', media_type: 'image/png', data: PIXEL }
    const parts = [{ type: 'image', source }, { type: 'text', text: ask.text }]
    const turns = [{ role: 'user', content: ask.image ? parts : ask.text }]
    if (ask.dialogue) {
      turns.push({ role: 'assistant', content: ask.dialogue[0] }, { role: 'user', content: ask.dialogue[1] })
    }
    if (ask.turn) {
      const [first, results] = ask.turn
      const blocks = first.calls.map((call, at) => ({ type: 'tool_result', tool_use_id: call[0], content: results[at] }))
      turns.push({ role: 'assistant', content: first.history }, { role: 'user', content: blocks })
    }
    const fields = {
      model: ask.model,
      max_tokens: ask.max,
      messages: turns,
      ...(ask.system && { system: ask.system }),
      ...(ask.tools && { tools: [{ name: 'get_weather', description: DESCRIPTION, input_schema: SCHEMA }] }),
      ...(ask.force && { tool_choice: { type: 'any' } }),
      ...(ask.think && { thinking: { type: 'enabled', budget_tokens: 1024 } }),
      ...(ask.schema && { output_config: { format: { type: 'json_schema', schema: ask.schema } } }),
      ...(ask.stop && { stop_sequences: ask.stop }),
    }
    const said = answer()
    let whole
    if (ask.stream) {
      const stream = anthropic.messages.stream(fields)
      let last
      stream.on('text', () => {
        said.deltas += 1
        ask.onPiece()
      })
      stream.on('streamEvent', (event) => (last = event.type))
      whole = await stream.finalMessage()
      if (last !== 'message_stop') throw new Anthropic.AnthropicError(`the stream ended with ${last}`)
    } else {
      whole = await anthropic.messages.create(fields)
    }
    for (const block of whole.content) {
      if (block.type === 'text') said.text += block.text
      if (block.type === 'thinking') said.thought += block.thinking
      if (block.type === 'tool_use') said.calls.push([block.id, block.name, block.input])
    }
    said.stop = whole.stop_reason
    said.history = whole.content
    const used = whole.usage
    const cached = used.cache_read_input_tokens ?? 0
    said.usage = {
      input: used.input_tokens + cached + (used.cache_creation_input_tokens ?? 0),
      cached,
      output: used.output_tokens,
      reasoning: used.output_tokens_details?.thinking_tokens ?? 0,
    }
    return said
  },
}

await run('openai-node', 'chat', chat)
await run('openai-node', 'responses', responses)
await run('@anthropic-ai/sdk', 'anthropic', messages)
