import { GRAPH, MODEL } from '../schema.ts';
import type { WireField } from '../wire.ts';
import {
  type Attribute,
  encodeHeader,
  encodeInitialiser,
  encodeInput,
  encodeNode,
  encodeOutput,
  type GraphNode,
  type Initialiser,
  type ValueInfo,
} from '../writer.ts';
import { type ParsedModel, parseModel } from './parse-model.ts';

/** The name of a tensor: what a node reads or gives. */
export type TensorName = string;

export interface Node {
  opType: string;
  /** The empty domain is ONNX's own operators. */
  domain: string;
  /** An optional input that is left out in the middle is the empty name. */
  inputs: readonly TensorName[];
  outputs: readonly TensorName[];
  /** Undefined where one of them is of a kind that no pass reads (a tensor, for instance). */
  attributes: Readonly<Record<string, Attribute>> | undefined;
}

/** A float32 initialiser whose value nobody can override. */
export interface Constant {
  dims: readonly number[];
  /** Copies the values out of the file's bytes; ask for it only when they are needed. */
  floats(): Float32Array<ArrayBuffer>;
}

/**
 * A model whose nodes can be replaced while everything else stays the very bytes of the file: fields that this project
 * does not know, their order, and above all the weights, which are neither decoded nor copied until the one copy into
 * the new file.
 */
export class EditableGraph {
  readonly opset: number;
  readonly #model: ParsedModel;
  readonly #originalNodes: ReadonlyMap<Node, Uint8Array>;
  readonly #nodes: Node[];
  readonly #added = new Map<TensorName, { constant: Constant | undefined; raw: Uint8Array }>();
  readonly #names: Set<TensorName>;
  readonly #producers = new Map<TensorName, Node>();
  readonly #consumers = new Map<TensorName, Node[]>();
  #outputs: ReadonlySet<TensorName>;
  readonly #addedInputs: ValueInfo[] = [];
  /** Undefined as long as they are the file's. */
  #restatedOutputs: readonly ValueInfo[] | undefined;

  /** @throws {Error} when the bytes are no model, or one with parts that a rewrite could break unseen. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#model = parseModel(bytes);
    this.opset = this.#model.opset;
    this.#originalNodes = new Map(this.#model.nodes.map(({ node, raw }) => [node, raw]));
    this.#nodes = [...this.#originalNodes.keys()];
    this.#names = new Set(this.#model.names);
    this.#outputs = this.#model.outputs;
    for (const node of this.#nodes) this.#connect(node);
  }

  /** In the graph's order. Of ONNX's own operator set only: another domain's operator may mean anything. */
  nodesOf(opType: string): Node[] {
    return this.#nodes.filter((node) => node.domain === '' && node.opType === opType);
  }

  producerOf(tensor: TensorName): Node | undefined {
    return this.#producers.get(tensor);
  }

  /** A node that reads the tensor twice is listed twice. */
  consumersOf(tensor: TensorName): readonly Node[] {
    return this.#consumers.get(tensor) ?? [];
  }

  /** The one node that reads the tensor, where nobody else can see it. */
  soleConsumerOf(tensor: TensorName): Node | undefined {
    const consumers = this.consumersOf(tensor);
    return consumers.length === 1 && !this.isOutput(tensor) ? consumers[0] : undefined;
  }

  isOutput(tensor: TensorName): boolean {
    return this.#outputs.has(tensor);
  }

  /** In their order. */
  get outputs(): readonly TensorName[] {
    return [...this.#outputs];
  }

  /** Lets another tensor enter the graph, after those of the file. */
  addInput(input: ValueInfo): void {
    this.#addedInputs.push(input);
  }

  /** Lets other tensors leave the graph. Nodes that none of them needs are still there. */
  restateOutputs(outputs: readonly ValueInfo[]): void {
    this.#outputs = new Set(outputs.map(({ name }) => name));
    this.#restatedOutputs = outputs;
  }

  constant(tensor: TensorName | undefined): Constant | undefined {
    if (!tensor) return undefined;
    return (this.#model.constants.get(tensor) ?? this.#added.get(tensor))?.constant;
  }

  /** The numbers of a small int64 initialiser whose value nobody can override, such as a shape. */
  integers(tensor: TensorName | undefined): readonly number[] | undefined {
    return tensor ? this.#model.constants.get(tensor)?.integers() : undefined;
  }

  addConstant(data: Initialiser['data'], dims: readonly number[], hint: string): TensorName {
    const name = this.freshName(hint);
    const constant =
      data instanceof Float32Array ? { dims, floats: () => Float32Array.from(data) } : undefined;
    this.#added.set(name, { constant, raw: encodeInitialiser({ name, dims, data }) });
    return name;
  }

  /** A name like the hint that no tensor has. */
  freshName(hint: string): TensorName {
    let name = hint;
    for (let count = 2; this.#names.has(name); count++) name = `${hint}_${count}`;
    this.#names.add(name);
    return name;
  }

  /** Puts new nodes in the place of the first one named, and takes all that are named out. */
  replace(gone: readonly [Node, ...Node[]], added: readonly GraphNode[]): void {
    const nodes = added.map((node): Node => ({ ...node, domain: '' }));
    this.#nodes.splice(this.#nodes.indexOf(gone[0]), 1, ...nodes);
    for (const other of gone.slice(1)) this.#nodes.splice(this.#nodes.indexOf(other), 1);
    for (const node of gone) this.#disconnect(node);
    for (const node of nodes) this.#connect(node);
  }

  /** Puts new nodes behind all others. */
  append(added: readonly GraphNode[]): void {
    for (const node of added) {
      const appended: Node = { ...node, domain: '' };
      this.#nodes.push(appended);
      this.#connect(appended);
    }
  }

  #connect(node: Node): void {
    for (const output of node.outputs) this.#producers.set(output, node);
    for (const input of node.inputs) {
      const consumers = this.#consumers.get(input);
      if (consumers) consumers.push(node);
      else this.#consumers.set(input, [node]);
    }
  }

  #disconnect(node: Node): void {
    for (const output of node.outputs) this.#producers.delete(output);
    for (const input of node.inputs) {
      const consumers = this.consumersOf(input).filter((consumer) => consumer !== node);
      this.#consumers.set(input, consumers);
    }
  }

  /** The model as it is now, in one buffer of its own. */
  toBytes(): Uint8Array<ArrayBuffer> {
    const graph = this.#graphChunks();
    const header = encodeHeader(MODEL.graph, lengthOf(graph));
    const chunks = this.#model.fields.flatMap((field) =>
      field.number === MODEL.graph ? [header, ...graph] : [field.raw],
    );
    const bytes = new Uint8Array(lengthOf(chunks));
    let offset = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, offset);
      offset += chunk.length;
    }
    return bytes;
  }

  /** Nodes go where the first one was, new constants at the end; all else keeps its place. */
  #graphChunks(): Uint8Array[] {
    const nodes = this.#nodes.map(
      (node) => this.#originalNodes.get(node) ?? encodeNode({ ...node, attributes: node.attributes ?? {} }),
    );
    let nodesWritten = false;
    const chunks: Uint8Array[] = [];
    for (const field of this.#model.graphFields) {
      if (field.number === GRAPH.node) {
        if (!nodesWritten) chunks.push(...nodes);
        nodesWritten = true;
      } else if (!this.#isForsaken(field) && !this.#isRestated(field)) {
        chunks.push(field.raw);
      }
    }
    chunks.push(...this.#addedInputs.map(encodeInput));
    chunks.push(...(this.#restatedOutputs ?? []).map(encodeOutput));
    for (const [name, { raw }] of this.#added) if (this.consumersOf(name).length > 0) chunks.push(raw);
    return chunks;
  }

  /** Whether the file says something of the outputs that no longer holds. */
  #isRestated(field: WireField): boolean {
    if (this.#restatedOutputs === undefined) return false;
    if (field.number === GRAPH.output) return true;
    return field.number === GRAPH.valueInfo && this.isOutput(this.#model.nameOf(field) ?? '');
  }

  /** Whether a rewrite took away the only use of a weight, or the tensor whose shape is stated here. */
  #isForsaken(field: WireField): boolean {
    const name = this.#model.nameOf(field);
    if (name === undefined || this.isOutput(name) || this.#model.inputs.has(name)) return false;
    if (field.number === GRAPH.initializer) {
      return this.#model.read.has(name) && this.consumersOf(name).length === 0;
    }
    return this.#model.given.has(name) && this.producerOf(name) === undefined;
  }
}

function lengthOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}
