import { ATTRIBUTE, ATTRIBUTE_TYPE, NODE } from '../schema.ts';
import { contentOf, floatOf, integerOf, integersOf, readFields, textOf } from '../wire.ts';
import type { Attribute } from '../writer.ts';

/** The name of a tensor that a node consumes or produces. */
export type TensorName = string;

export interface Node {
  opType: string;
  /** The empty domain is that of ONNX's own operators. */
  domain: string;
  /** An optional input that is omitted before another one is the empty name. */
  inputs: readonly TensorName[];
  outputs: readonly TensorName[];
  /** Undefined if one of them is of a type that no pass reads, such as a tensor. */
  attributes: Readonly<Record<string, Attribute>> | undefined;
}

/** @throws {Error} if an attribute is a graph: nodes inside it may refer to any outer tensor by name. */
export function parseNode(content: Uint8Array): Node {
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

/** ONNX's own domain has two spellings. */
export function standardDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

/** The `perm` of a Transpose as text, such as "[2,3,0,1]". Undefined if it is not stated. */
export function permutationOf({ attributes }: Node): string | undefined {
  const perm = attributes?.perm;
  return perm && 'ints' in perm ? JSON.stringify(perm.ints) : undefined;
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

function parseAttribute(content: Uint8Array): ParsedAttribute {
  let name = '';
  let type = 0;
  // A field that has its default value may be missing from the file.
  let float = 0;
  let int = 0;
  let string = '';
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
  if (type === ATTRIBUTE_TYPE.float) return { name, value: { float } };
  if (type === ATTRIBUTE_TYPE.int) return { name, value: { int } };
  if (type === ATTRIBUTE_TYPE.ints) return { name, value: { ints } };
  if (type === ATTRIBUTE_TYPE.string) return { name, value: { string } };
  return { name, value: undefined };
}

/** String attributes are bytes; those that passes read are ASCII. */
const latin1 = new TextDecoder('latin1');
