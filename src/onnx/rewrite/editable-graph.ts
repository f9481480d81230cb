import { GRAPH, MODEL } from '../schema.ts';
import { byteLengthOf, concatenate, type WireField } from '../wire.ts';
import {
  encodeHeader,
  encodeInitialiser,
  encodeInput,
  encodeIrVersion,
  encodeNode,
  encodeOpset,
  encodeOutput,
  type GraphNode,
  type Initialiser,
  type ValueInfo,
} from '../writer.ts';
import type { Constant } from './initialiser.ts';
import type { Node, TensorName } from './node.ts';
import { type ParsedModel, parseModel } from './parse-model.ts';

/**
 * A model whose nodes can be replaced while everything else keeps the file's bytes, including unknown fields and their
 * order. Weights are neither decoded nor copied, except once into the new file.
 */
export class EditableGraph {
  readonly #model: ParsedModel;
  readonly #nodes: Node[];
  /** Undefined while it is the file's. */
  #newOpset: { opset: number; irVersion: number } | undefined;
  readonly #added = new Map<TensorName, { constant: Constant | undefined; raw: Uint8Array }>();
  readonly #names: Set<TensorName>;
  /** A tensor whose node was removed is undefined. */
  readonly #producers = new Map<TensorName, Node | undefined>();
  /** A tensor whose consumers were removed has an empty list. */
  readonly #consumers = new Map<TensorName, Node[]>();
  #outputs: ReadonlySet<TensorName>;
  readonly #addedInputs: ValueInfo[] = [];
  /** Undefined while the outputs are the file's. */
  #newOutputs: readonly ValueInfo[] | undefined;

  /** @throws {Error} when the bytes are not a model, or one with parts that a rewrite could break unnoticed. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#model = parseModel(bytes);
    this.#nodes = [...this.#model.nodes.keys()];
    this.#names = new Set(this.#model.names);
    this.#outputs = this.#model.outputs;
    for (const node of this.#nodes) this.#connect(node);
  }

  /** The version of ONNX's own operator set. */
  get opset(): number {
    return this.#newOpset?.opset ?? this.#model.opset;
  }

  /**
   * States another version of the operator set, to which the caller has adapted the nodes, and an IR version that has it.
   * All nodes must be of ONNX's own operator set.
   */
  setOpset(opset: number, irVersion: number): void {
    this.#newOpset = { opset, irVersion };
  }

  /** In the graph's order. */
  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  /** In the file's order, without initialisers that may be overridden. */
  get inputs(): readonly TensorName[] {
    return [...this.#model.inputs].filter((name) => !this.#model.initialisers.has(name));
  }

  /** In the graph's order, from ONNX's own operator set only: in another domain the name may mean anything. */
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

  /** The only consumer of a tensor that is not an output of the graph. */
  soleConsumerOf(tensor: TensorName): Node | undefined {
    const consumers = this.consumersOf(tensor);
    return consumers.length === 1 && !this.isOutput(tensor) ? consumers[0] : undefined;
  }

  isOutput(tensor: TensorName): boolean {
    return this.#outputs.has(tensor);
  }

  /** In the graph's order. */
  get outputs(): readonly TensorName[] {
    return [...this.#outputs];
  }

  /** Adds an input after those of the file. */
  addInput(input: ValueInfo): void {
    this.#addedInputs.push(input);
  }

  /** Replaces all outputs. Nodes that the new ones do not need stay in the graph. */
  replaceOutputs(outputs: readonly ValueInfo[]): void {
    this.#outputs = new Set(outputs.map(({ name }) => name));
    this.#newOutputs = outputs;
  }

  /** Undefined if the tensor is not a float32 constant. */
  constant(tensor: TensorName | undefined): Constant | undefined {
    if (!tensor) return undefined;
    return (this.#model.initialisers.get(tensor) ?? this.#added.get(tensor))?.constant;
  }

  /** The values of a small int64 constant of the file, such as a shape. */
  integers(tensor: TensorName | undefined): readonly number[] | undefined {
    return tensor ? this.#model.initialisers.get(tensor)?.integers() : undefined;
  }

  /** Adds a constant with a name derived from the hint. */
  addConstant(data: Initialiser['data'], dims: readonly number[], hint: string): TensorName {
    const name = this.freshName(hint);
    const constant =
      data instanceof Float32Array ? { dims, floats: () => Float32Array.from(data) } : undefined;
    this.#added.set(name, { constant, raw: encodeInitialiser({ name, dims, data }) });
    return name;
  }

  /** A name derived from the hint that no tensor has, which is reserved. */
  freshName(hint: string): TensorName {
    let name = hint;
    for (let count = 2; this.#names.has(name); count++) name = `${hint}_${count}`;
    this.#names.add(name);
    return name;
  }

  /** Removes nodes and puts new ones where the first of them was. */
  replace(removed: readonly [Node, ...Node[]], added: readonly GraphNode[]): void {
    const nodes = added.map((node): Node => ({ ...node, domain: '' }));
    this.#nodes.splice(this.#nodes.indexOf(removed[0]), 1, ...nodes);
    for (const other of removed.slice(1)) this.#nodes.splice(this.#nodes.indexOf(other), 1);
    for (const node of removed) this.#disconnect(node);
    for (const node of nodes) this.#connect(node);
  }

  /** Lets a node of ONNX's own operator set with known attributes read other tensors. */
  rewire(node: Node, inputs: readonly TensorName[]): Node {
    if (node.domain !== '' || node.attributes === undefined)
      throw new Error(`the node ${node.outputs[0]} (${node.opType}) cannot be changed`);
    const rewired: Node = { ...node, inputs };
    this.#nodes[this.#nodes.indexOf(node)] = rewired;
    this.#disconnect(node);
    this.#connect(rewired);
    return rewired;
  }

  /** Adds nodes at the end of the graph. */
  append(added: readonly GraphNode[]): void {
    this.#insert(this.#nodes.length, added);
  }

  /** Adds nodes before one of the graph. */
  insertBefore(next: Node, added: readonly GraphNode[]): void {
    this.#insert(this.#nodes.indexOf(next), added);
  }

  #insert(index: number, added: readonly GraphNode[]): void {
    const nodes = added.map((node): Node => ({ ...node, domain: '' }));
    this.#nodes.splice(index, 0, ...nodes);
    for (const node of nodes) this.#connect(node);
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
    for (const output of node.outputs) this.#producers.set(output, undefined);
    for (const input of node.inputs) {
      const consumers = this.consumersOf(input).filter((consumer) => consumer !== node);
      this.#consumers.set(input, consumers);
    }
  }

  /** The model in its current state, in a buffer of its own. */
  toBytes(): Uint8Array<ArrayBuffer> {
    const graph = this.#graphChunks();
    const header = encodeHeader(MODEL.graph, byteLengthOf(graph));
    return concatenate(
      this.#model.fields.flatMap((field) =>
        field.number === MODEL.graph ? [header, ...graph] : this.#header(field),
      ),
    );
  }

  /** The bytes of a field of the model other than the graph. With a new version, other operator sets are left out. */
  #header(field: WireField): Uint8Array[] {
    const { number, raw } = field;
    if (this.#newOpset && number === MODEL.irVersion) return [encodeIrVersion(this.#newOpset.irVersion)];
    if (this.#newOpset && number === MODEL.opsetImport) {
      const isFirst = this.#model.fields.find((other) => other.number === number) === field;
      return isFirst ? [encodeOpset(this.#newOpset.opset)] : [];
    }
    return [raw];
  }

  /** Nodes go where the first one was, new inputs, outputs and constants to the end; all else keeps its place. */
  #graphChunks(): Uint8Array[] {
    const nodes = this.#nodes.map(
      (node) => this.#model.nodes.get(node) ?? encodeNode({ ...node, attributes: node.attributes ?? {} }),
    );
    let nodesWritten = false;
    const chunks: Uint8Array[] = [];
    for (const field of this.#model.graphFields) {
      if (field.number === GRAPH.node) {
        if (!nodesWritten) chunks.push(...nodes);
        nodesWritten = true;
      } else if (!this.#isUnused(field) && !this.#isReplaced(field)) {
        chunks.push(field.raw);
      }
    }
    chunks.push(...this.#addedInputs.map(encodeInput));
    chunks.push(...(this.#newOutputs ?? []).map(encodeOutput));
    for (const [name, { raw }] of this.#added) if (this.consumersOf(name).length > 0) chunks.push(raw);
    return chunks;
  }

  /** Whether the field is an output of the file, or states the shape of a new output, after outputs were replaced. */
  #isReplaced(field: WireField): boolean {
    if (this.#newOutputs === undefined) return false;
    if (field.number === GRAPH.output) return true;
    return field.number === GRAPH.valueInfo && this.isOutput(this.#model.nameOf(field) ?? '');
  }

  /** Whether a rewrite removed all consumers of this weight, or the node of the tensor whose shape this states. */
  #isUnused(field: WireField): boolean {
    const name = this.#model.nameOf(field);
    if (name === undefined || this.isOutput(name) || this.#model.inputs.has(name)) return false;
    if (field.number === GRAPH.initializer) return this.#consumers.get(name)?.length === 0;
    return this.#producers.has(name) && this.#producers.get(name) === undefined;
  }
}
