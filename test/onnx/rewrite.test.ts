import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from 'vitest';
import { REWRITE_PASSES, rewriteGraph, rewritesPayOff } from '../../src/onnx/rewrite/rewrite.ts';
import { GRAPH, MODEL } from '../../src/onnx/schema.ts';
import { readFields, type WireField } from '../../src/onnx/wire.ts';
import { appliedTo, differenceOf, expectRewritten, TestNetwork } from '../support/packs/onnx-graphs.ts';

/** A network in which every pass finds its pattern, with convolutions that no pass changes. */
function network({ opset = 13 } = {}): Uint8Array<ArrayBuffer> {
  const net = new TestNetwork();
  const stem = net.prelu(net.conv('x', { inputs: 3, outputs: 32 }), [0.25], [1]);
  const grouped = net.conv(stem, { inputs: 32, outputs: 32, group: 16 });
  const mixed = net.prelu(net.conv(grouped, { inputs: 32, outputs: 8, kernel: 1 }), [0.5], [1]);
  const heads = [2, 8].map((outputs) => net.conv(mixed, { inputs: 8, outputs }));
  const wide = net.conv('x', { inputs: 3, outputs: 32 });
  const narrow = net.conv(wide, { inputs: 32, outputs: 2 });
  const last = net.graph.add('Transpose', [mixed], { perm: { ints: [2, 3, 0, 1] } });
  const rows = net.graph.add('Reshape', [last, net.graph.ints([-1, 4])]);
  const vector = net.graph.add('Flatten', [net.graph.add('GlobalAveragePool', [wide])]);
  const product = net.graph.add('Gemm', [vector, net.randomConstant([32, 16]), net.randomConstant([16])]);
  const separable = [6, 10].map((outputs) => {
    const middle = net.conv(wide, { inputs: 32, outputs, kernel: 1 });
    return net.conv(middle, { inputs: outputs, outputs, group: outputs });
  });
  const plain = net.conv(mixed, { inputs: 8, outputs: 4, kernel: 1, name: 'plain' });
  return net.model([...heads, narrow, rows, product, ...separable, plain], { opset });
}

const ALL =
  'separable-heads 1, sibling-convolutions 1, narrow-convolutions 1, grouped-convolutions 1, prelu 3, transposes 1, gemms 1';

const joined = (...parts: Uint8Array[]): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.concat(parts));

/** A length-delimited field. */
function field(number: number, content: Uint8Array): Uint8Array {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(content).finish();
}

const text = (number: number, value: string) => field(number, Buffer.from(value));
const integer = (number: number, value: number) =>
  new BinaryWriter().tag(number, WireType.Varint).int64(value).finish();

/** The model with fields added at the end of its graph. */
function withGraphFields(model: Uint8Array, ...added: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const fields = [...readFields(model)];
  return joined(
    ...fields.map((part) =>
      part.number === MODEL.graph ? field(part.number, joined(part.payload, ...added)) : part.raw,
    ),
  );
}

function graphFields(model: Uint8Array): WireField[] {
  const graph = [...readFields(model)].find(({ number }) => number === MODEL.graph) as WireField;
  return [...readFields(graph.payload)];
}

function expectUnchanged(bytes: Uint8Array<ArrayBuffer>): void {
  const rewritten = rewriteGraph(bytes);
  expect(rewritten.applied).toEqual([]);
  expect(rewritten.bytes).toBe(bytes);
}

describe('rewriteGraph', () => {
  it('applies all passes', async () => {
    await expectRewritten(network(), ALL);
    await expectRewritten(network({ opset: 11 }), ALL);
  });

  it.each(REWRITE_PASSES)('applies only %s if it is the only pass requested', async (pass) => {
    const model = network();
    const { bytes, applied } = rewriteGraph(model, { passes: [pass] });
    expect(applied.map((done) => done.pass)).toEqual([pass]);
    expect(await differenceOf(model, bytes, [1, 3, 9, 6])).toBeLessThan(1e-5);
  });

  it('applies nothing if no pass is requested', () => {
    const model = network();
    expect(rewriteGraph(model, { passes: [] })).toEqual({ bytes: model, applied: [] });
  });

  it('does not change a rewritten model again', () => {
    expectUnchanged(rewriteGraph(network()).bytes);
  });

  it('does not change its argument, which may be a view into a larger buffer', async () => {
    const model = network();
    const buffer = new Uint8Array(model.length + 10);
    buffer.set(model, 3);
    const view = buffer.subarray(3, 3 + model.length);
    const { bytes } = rewriteGraph(view);
    expect(Buffer.compare(view, model)).toBe(0);
    expect(Buffer.compare(bytes, rewriteGraph(model).bytes)).toBe(0);
  });

  it('gives the same bytes for the same model', () => {
    expect(Buffer.compare(rewriteGraph(network()).bytes, rewriteGraph(network()).bytes)).toBe(0);
  });

  it('copies unknown fields and unaffected nodes and weights byte for byte', () => {
    const unknown = [text(900, 'a field of the future'), integer(901, 5)];
    const model = joined(withGraphFields(network(), ...unknown), ...unknown, text(3, 'producer version'));
    const { bytes, applied } = rewriteGraph(model);
    expect(applied).toHaveLength(REWRITE_PASSES.length);
    const encoded = (fields: Iterable<WireField>, ...without: number[]) =>
      [...fields]
        .filter(({ number }) => !without.includes(number))
        .map(({ raw }) => Buffer.from(raw).toString('hex'));
    expect(encoded(readFields(bytes), MODEL.graph)).toEqual(encoded(readFields(model), MODEL.graph));
    const changing = [GRAPH.node, GRAPH.initializer];
    expect(encoded(graphFields(bytes), ...changing)).toEqual(encoded(graphFields(model), ...changing));
    // Two unaffected convolutions with weights and biases, the bias of the narrow one, the Reshape and its shape, the pooling
    // and the Flatten, and two unknown fields.
    const before = new Set(encoded(graphFields(model), GRAPH.input, GRAPH.output, GRAPH.name));
    const after = encoded(graphFields(bytes), GRAPH.input, GRAPH.output, GRAPH.name);
    expect(after.filter((raw) => before.has(raw)).length).toBe(2 * 3 + 1 + 2 + 2 + 2);
  });

  it('removes the stated shapes of tensors that no longer exist', async () => {
    const model = network();
    const nodes = graphFields(model).filter(({ number }) => number === GRAPH.node);
    // The outputs of the first convolution, which is split into parts, and of the last one.
    const stated = [nodes[0], nodes.at(-1)].map((node) => {
      const output = [...readFields(node?.payload as Uint8Array)].find(({ number }) => number === 2);
      return field(GRAPH.valueInfo, field(1, output?.payload as Uint8Array));
    });
    const { bytes } = rewriteGraph(withGraphFields(model, ...stated));
    const left = graphFields(bytes).filter(({ number }) => number === GRAPH.valueInfo);
    expect(left.map(({ payload }) => Buffer.from(payload).toString())).toEqual([
      Buffer.from(field(1, Buffer.from('plain'))).toString(),
    ]);
    expect(await differenceOf(model, bytes, [1, 3, 8, 8])).toBeLessThan(1e-5);
  });
});

describe('rewriteGraph returns its argument', () => {
  it.each([
    ['nothing', ''],
    ['an HTML page', '<!doctype html><html><body>404: Not Found</body></html>'],
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n'],
    ['zeros', '\0'.repeat(100)],
  ])('for %s', (_, content) => {
    expectUnchanged(new Uint8Array(Buffer.from(content)));
  });

  it('for a truncated model', () => {
    const model = network();
    const graphEnd = model.length - 4;
    for (let length = 0; length < graphEnd; length += 7) expectUnchanged(model.slice(0, length));
  });

  it('or a usable one, but does not throw, for a damaged model', () => {
    const model = network();
    for (let at = 0; at < model.length; at += 13) {
      const damaged = model.slice();
      damaged[at] = (damaged[at] as number) ^ 0xff;
      expect(rewriteGraph(damaged).bytes.length).toBeGreaterThan(0);
    }
  });

  it.each([7, 8, 99])('for opset %i', (opset) => {
    expectUnchanged(network({ opset }));
  });

  it('for a model without an opset', () => {
    expectUnchanged(
      joined(
        ...[...readFields(network())]
          .filter(({ number }) => number !== MODEL.opsetImport)
          .map(({ raw }) => raw),
      ),
    );
  });

  it('for two graphs, functions, or training data', () => {
    const model = network();
    const graph = [...readFields(model)].find(({ number }) => number === MODEL.graph) as WireField;
    expectUnchanged(joined(model, graph.raw));
    expectUnchanged(joined(model, field(MODEL.functions, new Uint8Array())));
    expectUnchanged(joined(model, field(MODEL.trainingInfo, new Uint8Array())));
  });

  it('for weights in another file', () => {
    const tensor = joined(integer(1, 1), integer(2, 1), text(8, 'elsewhere'), integer(14, 1));
    expectUnchanged(withGraphFields(network(), field(GRAPH.initializer, tensor)));
  });

  it('for sparse weights and annotations of quantised tensors', () => {
    expectUnchanged(withGraphFields(network(), field(GRAPH.sparseInitializer, new Uint8Array())));
    expectUnchanged(withGraphFields(network(), field(GRAPH.quantizationAnnotation, new Uint8Array())));
  });

  it('for a node with a subgraph, which may read any tensor', () => {
    const attribute = joined(text(1, 'then_branch'), field(6, new Uint8Array()), integer(20, 5));
    const node = joined(text(2, 'branched'), text(4, 'If'), field(5, attribute));
    expectUnchanged(withGraphFields(network(), field(GRAPH.node, node)));
  });

  it('for weights that a caller may override, because they are also inputs', () => {
    const model = network();
    const inputs = graphFields(model)
      .filter(({ number }) => number === GRAPH.initializer)
      .map(
        ({ payload }) => [...readFields(payload)].find(({ number }) => number === 8)?.payload as Uint8Array,
      )
      .map((name) => field(GRAPH.input, field(1, name)));
    expectUnchanged(withGraphFields(model, ...inputs));
  });

  it('for operators of another domain with known names', () => {
    const model = network();
    const otherDomain = graphFields(model).map(({ number, payload, raw }) =>
      number === GRAPH.node ? field(number, joined(payload, text(7, 'com.example'))) : raw,
    );
    const fields = [...readFields(model)];
    expectUnchanged(
      joined(
        ...fields.map(({ number, raw }) =>
          number === MODEL.graph ? field(number, joined(...otherDomain)) : raw,
        ),
      ),
    );
  });
});

describe('rewriteGraph on a large model', () => {
  /** As large as w600k_r50, mostly weights that no pass reads. */
  function largeModel(): Uint8Array<ArrayBuffer> {
    const net = new TestNetwork();
    let x = net.conv('x', { inputs: 3, outputs: 64 });
    for (let layer = 0; layer < 24; layer++)
      x = net.prelu(net.conv(x, { inputs: 64, outputs: 64 }), [0.25], [1]);
    const weights = Array.from({ length: 40 }, () =>
      net.graph.constant(new Float32Array(1_075_000), [1_075_000]),
    );
    const sum = weights.reduce((total, weight) => net.graph.add('Add', [total, weight]));
    return net.model([x, sum]);
  }

  it('copies the weights once', () => {
    const model = largeModel();
    expect(model.length).toBeGreaterThan(170_000_000);
    const before = process.memoryUsage().arrayBuffers;
    const rewritten = rewriteGraph(model);
    const grown = process.memoryUsage().arrayBuffers - before;
    expect(appliedTo(rewritten)).toBe('prelu 24');
    expect(grown).toBeLessThan(model.length + 4_000_000);
  });
});

describe('rewritesPayOff', () => {
  it('is true only where ONNX Runtime uses the blocked layout', () => {
    expect(rewritesPayOff('cpu', 'x64')).toBe(true);
    expect(rewritesPayOff('cpu', 'arm64')).toBe(false);
    expect(rewritesPayOff('cuda', 'x64')).toBe(false);
  });
});
