import { ATTRIBUTE, ATTRIBUTE_TYPE, GRAPH, MODEL, NODE, OPSET, TENSOR, VALUE_INFO } from '../schema.ts';
import { contentOf, floatOf, integerOf, integersOf, readFields, textOf, type WireField } from '../wire.ts';
import type { Attribute } from '../writer.ts';
import { parseConstant, parseIntegers } from './constant.ts';
import type { Constant, Node, TensorName } from './editable-graph.ts';

/** Read when they are asked for. */
type Integers = () => readonly number[] | undefined;

/** A model taken apart into fields of which none has been changed. */
export interface ParsedModel {
  opset: number;
  /** In the file's order, the graph among them. */
  fields: WireField[];
  /** In the file's order. */
  graphFields: WireField[];
  nodes: { node: Node; raw: Uint8Array }[];
  inputs: ReadonlySet<TensorName>;
  outputs: ReadonlySet<TensorName>;
  /** Every name that occurs. */
  names: ReadonlySet<TensorName>;
  /** Names that a node reads, or gives. */
  read: ReadonlySet<TensorName>;
  given: ReadonlySet<TensorName>;
  /** All initialisers; float32 and int64 values where they are known for certain. */
  constants: ReadonlyMap<TensorName, { constant: Constant | undefined; integers: Integers }>;
  /** The name of the tensor that a field of the graph is about: an initialiser or the statement of a shape. */
  nameOf(field: WireField): TensorName | undefined;
}

/** Parts that refer to tensors or nodes by name, or hold whole graphs, where no pass would see it. */
const OPAQUE_MODEL_FIELDS: readonly number[] = [MODEL.trainingInfo, MODEL.functions];
const OPAQUE_GRAPH_FIELDS: readonly number[] = [GRAPH.quantizationAnnotation, GRAPH.sparseInitializer];

/** @throws {Error} when the bytes are no model, or one with parts that a rewrite could break unseen. */
export function parseModel(bytes: Uint8Array): ParsedModel {
  const fields = [...readFields(bytes)];
  refuse(fields, OPAQUE_MODEL_FIELDS);
  const [graph, ...more] = fields.filter(({ number }) => number === MODEL.graph);
  if (graph === undefined || more.length > 0) throw new Error('there is not exactly one graph');
  const graphFields = [...readFields(contentOf(graph))];
  refuse(graphFields, OPAQUE_GRAPH_FIELDS);

  const names = new Map<WireField, TensorName>();
  const namesOf = (number: number, nameField: number) => {
    const found = graphFields.filter((field) => field.number === number);
    for (const field of found) names.set(field, nameIn(field, nameField));
    return found.map((field) => names.get(field) as TensorName);
  };
  const inputs = new Set(namesOf(GRAPH.input, VALUE_INFO.name));
  const outputs = new Set(namesOf(GRAPH.output, VALUE_INFO.name));
  namesOf(GRAPH.valueInfo, VALUE_INFO.name);
  namesOf(GRAPH.initializer, TENSOR.name);

  const constants = new Map<TensorName, { constant: Constant | undefined; integers: Integers }>();
  for (const field of graphFields) {
    if (field.number !== GRAPH.initializer) continue;
    const name = names.get(field) as TensorName;
    // A caller may replace the value of an initialiser that is also an input.
    const certain = !inputs.has(name) && !constants.has(name);
    constants.set(name, {
      constant: certain ? parseConstant(contentOf(field)) : undefined,
      integers: () => (certain ? parseIntegers(contentOf(field)) : undefined),
    });
  }

  const nodes = graphFields
    .filter(({ number }) => number === GRAPH.node)
    .map((field) => ({ node: parseNode(contentOf(field)), raw: field.raw }));
  const read = new Set(nodes.flatMap(({ node }) => node.inputs));
  const given = new Set(nodes.flatMap(({ node }) => node.outputs));
  return {
    opset: opsetOf(fields),
    fields,
    graphFields,
    nodes,
    inputs,
    outputs,
    names: new Set([...names.values(), ...read, ...given]),
    read,
    given,
    constants,
    nameOf: (field) => names.get(field),
  };
}

function refuse(fields: readonly WireField[], opaque: readonly number[]): void {
  const found = fields.find(({ number }) => opaque.includes(number));
  if (found) throw new Error(`the model has a part of kind ${found.number}, which is not understood`);
}

function nameIn(field: WireField, number: number): string {
  let name = '';
  for (const part of readFields(contentOf(field))) if (part.number === number) name = textOf(part);
  return name;
}

/** @returns the version of ONNX's own operator set. */
function opsetOf(fields: readonly WireField[]): number {
  let opset: number | undefined;
  for (const field of fields) {
    if (field.number !== MODEL.opsetImport) continue;
    let domain = '';
    let version = 0;
    for (const part of readFields(contentOf(field))) {
      if (part.number === OPSET.domain) domain = textOf(part);
      else if (part.number === OPSET.version) version = integerOf(part);
    }
    if (standardDomain(domain) === '') opset = version;
  }
  if (opset === undefined) throw new Error('the opset is missing');
  return opset;
}

/** ONNX's own domain has two spellings. */
function standardDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

function parseNode(content: Uint8Array): Node {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: ParsedAttribute[] = [];
  let opType = '';
  let domain = '';
  for (const field of readFields(content)) {
    if (field.number === NODE.input) inputs.push(textOf(field));
    else if (field.number === NODE.output) outputs.push(textOf(field));
    else if (field.number === NODE.opType) opType = textOf(field);
    else if (field.number === NODE.domain) domain = standardDomain(textOf(field));
    else if (field.number === NODE.attribute) attributes.push(parseAttribute(contentOf(field)));
  }
  return { opType, domain, inputs, outputs, attributes: attributesByName(attributes) };
}

interface ParsedAttribute {
  name: string;
  value: Attribute | undefined;
}

function attributesByName(attributes: readonly ParsedAttribute[]): Record<string, Attribute> | undefined {
  const known: Record<string, Attribute> = {};
  for (const { name, value } of attributes) {
    if (value === undefined || name in known) return undefined;
    known[name] = value;
  }
  return known;
}

/** @throws {Error} for a graph: nodes inside it may read any tensor outside by its name. */
function parseAttribute(content: Uint8Array): ParsedAttribute {
  let name = '';
  let type = 0;
  let float: number | undefined;
  let int: number | undefined;
  let string: string | undefined;
  const ints: number[] = [];
  for (const field of readFields(content)) {
    if (field.number === ATTRIBUTE.name) name = textOf(field);
    else if (field.number === ATTRIBUTE.type) type = integerOf(field);
    else if (field.number === ATTRIBUTE.f) float = floatOf(field);
    else if (field.number === ATTRIBUTE.i) int = integerOf(field);
    else if (field.number === ATTRIBUTE.s) string = latin1.decode(contentOf(field));
    else if (field.number === ATTRIBUTE.ints) ints.push(...integersOf(field));
    else if (field.number === ATTRIBUTE.g || field.number === ATTRIBUTE.graphs) {
      throw new Error(`the attribute ${name} is a graph`);
    }
  }
  // A field that has its default value may be left out of the file.
  if (type === ATTRIBUTE_TYPE.float) return { name, value: { float: float ?? 0 } };
  if (type === ATTRIBUTE_TYPE.int) return { name, value: { int: int ?? 0 } };
  if (type === ATTRIBUTE_TYPE.ints) return { name, value: { ints } };
  if (type === ATTRIBUTE_TYPE.string) return { name, value: { string: string ?? '' } };
  return { name, value: undefined };
}

/** Strings of attributes are bytes; those that any pass looks at are ASCII. */
const latin1 = new TextDecoder('latin1');
