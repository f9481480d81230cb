import { GRAPH, MODEL, OPSET, TENSOR, VALUE_INFO } from '../schema.ts';
import { contentOf, fieldIn, integerOf, readFields, textIn, type WireField } from '../wire.ts';
import { type ParsedInitialiser, parseInitialiser } from './initialiser.ts';
import { type Node, parseNode, standardDomain, type TensorName } from './node.ts';

/** A model as the fields of its file, all unchanged. */
export interface ParsedModel {
  opset: number;
  /** The fields of the model in the file's order, including the graph. */
  fields: WireField[];
  /** The fields of the graph in the file's order. */
  graphFields: WireField[];
  /** In the file's order, each with its field's bytes. */
  nodes: ReadonlyMap<Node, Uint8Array>;
  inputs: ReadonlySet<TensorName>;
  outputs: ReadonlySet<TensorName>;
  /** Every name that occurs in the graph. */
  names: ReadonlySet<TensorName>;
  /** All initialisers. Undefined if a caller may override the value, or if two have the same name. */
  initialisers: ReadonlyMap<TensorName, ParsedInitialiser | undefined>;
  /** The name of the tensor that a field of the graph describes: an initialiser, an input, an output or a shape. */
  nameOf(field: WireField): TensorName | undefined;
}

/** Parts that refer to tensors or nodes by name, or contain graphs, which no pass reads. */
const UNSUPPORTED_MODEL_FIELDS: readonly number[] = [MODEL.trainingInfo, MODEL.functions];
const UNSUPPORTED_GRAPH_FIELDS: readonly number[] = [GRAPH.quantizationAnnotation, GRAPH.sparseInitializer];

/** Fields of the graph that describe a tensor, and the number of the field with its name. */
const NAMED_FIELDS: ReadonlyMap<number, number> = new Map([
  [GRAPH.input, VALUE_INFO.name],
  [GRAPH.output, VALUE_INFO.name],
  [GRAPH.valueInfo, VALUE_INFO.name],
  [GRAPH.initializer, TENSOR.name],
]);

/** @throws {Error} when the bytes are not a model, or one with parts that a rewrite could break unnoticed. */
export function parseModel(bytes: Uint8Array): ParsedModel {
  const fields = [...readFields(bytes)];
  assertNone(fields, UNSUPPORTED_MODEL_FIELDS);
  const [graph, ...more] = fields.filter(({ number }) => number === MODEL.graph);
  if (graph === undefined || more.length > 0) throw new Error('there is not exactly one graph');
  const graphFields = [...readFields(contentOf(graph))];
  assertNone(graphFields, UNSUPPORTED_GRAPH_FIELDS);

  const names = new Map<WireField, TensorName>();
  for (const field of graphFields) {
    const nameField = NAMED_FIELDS.get(field.number);
    if (nameField !== undefined) names.set(field, textIn(field, nameField) ?? '');
  }
  const fieldsOf = (number: number) => graphFields.filter((field) => field.number === number);
  const nameOf = (field: WireField) => names.get(field);
  const namesOf = (number: number) => new Set(fieldsOf(number).map((field) => nameOf(field) ?? ''));
  const inputs = namesOf(GRAPH.input);

  const initialisers = new Map<TensorName, ParsedInitialiser | undefined>();
  for (const field of fieldsOf(GRAPH.initializer)) {
    const name = nameOf(field) ?? '';
    // A caller may override the value of an initialiser that is also an input.
    const isFixed = !inputs.has(name) && !initialisers.has(name);
    initialisers.set(name, isFixed ? parseInitialiser(contentOf(field)) : undefined);
  }

  const nodes = new Map(fieldsOf(GRAPH.node).map((field) => [parseNode(contentOf(field)), field.raw]));
  const nodeNames = [...nodes.keys()].flatMap((node) => [...node.inputs, ...node.outputs]);
  return {
    opset: opsetOf(fields),
    fields,
    graphFields,
    nodes,
    inputs,
    outputs: namesOf(GRAPH.output),
    names: new Set([...names.values(), ...nodeNames]),
    initialisers,
    nameOf,
  };
}

function assertNone(fields: readonly WireField[], unsupported: readonly number[]): void {
  const found = fields.find(({ number }) => unsupported.includes(number));
  if (found) throw new Error(`field ${found.number} of the model is not supported`);
}

/** @returns the version of ONNX's own operator set. */
function opsetOf(fields: readonly WireField[]): number {
  let opset: number | undefined;
  for (const field of fields) {
    if (field.number !== MODEL.opsetImport) continue;
    const version = fieldIn(field, OPSET.version);
    const domain = standardDomain(textIn(field, OPSET.domain) ?? '');
    if (domain === '') opset = version ? integerOf(version) : 0;
  }
  if (opset === undefined) throw new Error('the opset is missing');
  return opset;
}
