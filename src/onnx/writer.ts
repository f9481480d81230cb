import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  ATTRIBUTE,
  ATTRIBUTE_TYPE,
  DATA_TYPE,
  DIMENSION,
  GRAPH,
  MODEL,
  NODE,
  OPSET,
  SHAPE,
  TENSOR,
  TENSOR_TYPE,
  TYPE,
  VALUE_INFO,
} from './schema.ts';

export type ElementType = keyof typeof DATA_TYPE;

/** An attribute states its type, because a JavaScript number does not: 1 may be a float or an integer. */
export type Attribute =
  | { float: number }
  | { int: number }
  | { ints: readonly number[] }
  | { string: string };

export interface GraphNode {
  opType: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes: Readonly<Record<string, Attribute>>;
}

/** A constant tensor. The type of the array determines the element type. */
export interface Initialiser {
  name: string;
  dims: readonly number[];
  data: Float32Array | Int8Array | Uint8Array | Int32Array | BigInt64Array;
}

/** An input or output of the graph. */
export interface ValueInfo {
  name: string;
  elementType: ElementType;
  /** A named dimension is symbolic; undefined states no shape at all. */
  dims: readonly (number | string)[] | undefined;
}

export interface Graph {
  name: string;
  inputs: readonly ValueInfo[];
  outputs: readonly ValueInfo[];
  initialisers: readonly Initialiser[];
  nodes: readonly GraphNode[];
}

export interface ModelHeader {
  irVersion: number;
  opset: number;
  producer: string;
}

/**
 * Serialises a model. The same model always gives the same bytes: items are written in the order given, fields in the
 * order of their numbers. The model is not validated here; ONNX Runtime does that when it loads it.
 */
export function writeModel(header: ModelHeader, graph: Graph): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  writer.tag(MODEL.irVersion, WireType.Varint).int64(header.irVersion);
  writeText(writer, MODEL.producerName, header.producer);
  writeMessage(writer, MODEL.graph, () => writeGraph(writer, graph));
  writeMessage(writer, MODEL.opsetImport, () => writeOpset(writer, header.opset));
  return writer.finish();
}

/** The empty domain is that of ONNX's own operators. */
function writeOpset(writer: BinaryWriter, version: number): void {
  writeText(writer, OPSET.domain, '');
  writer.tag(OPSET.version, WireType.Varint).int64(version);
}

/** A node as a field of its graph, with tag and length. */
export function encodeNode(node: GraphNode): Uint8Array<ArrayBuffer> {
  return encodeMessage(GRAPH.node, (writer) => writeNode(writer, node));
}

/** A constant as a field of its graph, with tag and length. */
export function encodeInitialiser(tensor: Initialiser): Uint8Array<ArrayBuffer> {
  return encodeMessage(GRAPH.initializer, (writer) => writeInitialiser(writer, tensor));
}

/** An input as a field of its graph, with tag and length. */
export function encodeInput(input: ValueInfo): Uint8Array<ArrayBuffer> {
  return encodeMessage(GRAPH.input, (writer) => writeValueInfo(writer, input));
}

/** An output as a field of its graph, with tag and length. */
export function encodeOutput(output: ValueInfo): Uint8Array<ArrayBuffer> {
  return encodeMessage(GRAPH.output, (writer) => writeValueInfo(writer, output));
}

/** The IR version as a field of its model. */
export function encodeIrVersion(version: number): Uint8Array<ArrayBuffer> {
  return new BinaryWriter().tag(MODEL.irVersion, WireType.Varint).int64(version).finish();
}

/** The version of ONNX's own operator set as a field of its model. */
export function encodeOpset(version: number): Uint8Array<ArrayBuffer> {
  return encodeMessage(MODEL.opsetImport, (writer) => writeOpset(writer, version));
}

/** The tag and length that precede a nested message of this length. */
export function encodeHeader(number: number, length: number): Uint8Array<ArrayBuffer> {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).uint32(length).finish();
}

function encodeMessage(
  number: number,
  writeContent: (writer: BinaryWriter) => void,
): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  writeMessage(writer, number, () => writeContent(writer));
  return writer.finish();
}

function writeGraph(writer: BinaryWriter, graph: Graph): void {
  for (const node of graph.nodes) writeMessage(writer, GRAPH.node, () => writeNode(writer, node));
  writeText(writer, GRAPH.name, graph.name);
  for (const tensor of graph.initialisers) {
    writeMessage(writer, GRAPH.initializer, () => writeInitialiser(writer, tensor));
  }
  for (const input of graph.inputs) writeMessage(writer, GRAPH.input, () => writeValueInfo(writer, input));
  for (const output of graph.outputs)
    writeMessage(writer, GRAPH.output, () => writeValueInfo(writer, output));
}

function writeNode(writer: BinaryWriter, node: GraphNode): void {
  for (const input of node.inputs) writeText(writer, NODE.input, input);
  for (const output of node.outputs) writeText(writer, NODE.output, output);
  writeText(writer, NODE.opType, node.opType);
  for (const [name, value] of Object.entries(node.attributes)) {
    writeMessage(writer, NODE.attribute, () => writeAttribute(writer, name, value));
  }
}

function writeAttribute(writer: BinaryWriter, name: string, value: Attribute): void {
  writeText(writer, ATTRIBUTE.name, name);
  let type: number;
  if ('float' in value) {
    type = ATTRIBUTE_TYPE.float;
    writer.tag(ATTRIBUTE.f, WireType.Bit32).float(value.float);
  } else if ('int' in value) {
    type = ATTRIBUTE_TYPE.int;
    writer.tag(ATTRIBUTE.i, WireType.Varint).int64(value.int);
  } else if ('ints' in value) {
    type = ATTRIBUTE_TYPE.ints;
    // onnx.proto is proto2, in which repeated numbers are not packed unless the field says so.
    for (const int of value.ints) writer.tag(ATTRIBUTE.ints, WireType.Varint).int64(int);
  } else {
    type = ATTRIBUTE_TYPE.string;
    writeText(writer, ATTRIBUTE.s, value.string);
  }
  writer.tag(ATTRIBUTE.type, WireType.Varint).int32(type);
}

function writeInitialiser(writer: BinaryWriter, { name, dims, data }: Initialiser): void {
  for (const dim of dims) writer.tag(TENSOR.dims, WireType.Varint).int64(dim);
  writer.tag(TENSOR.dataType, WireType.Varint).int32(DATA_TYPE[elementTypeOf(data)]);
  writeText(writer, TENSOR.name, name);
  // raw_data is little-endian, as is every platform that onnxruntime-node supports.
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  writer.tag(TENSOR.rawData, WireType.LengthDelimited).bytes(bytes);
}

function elementTypeOf(data: Initialiser['data']): ElementType {
  if (data instanceof Float32Array) return 'float';
  if (data instanceof Int8Array) return 'int8';
  if (data instanceof Uint8Array) return 'uint8';
  if (data instanceof Int32Array) return 'int32';
  return 'int64';
}

function writeValueInfo(writer: BinaryWriter, { name, elementType, dims }: ValueInfo): void {
  writeText(writer, VALUE_INFO.name, name);
  writeMessage(writer, VALUE_INFO.type, () => {
    writeMessage(writer, TYPE.tensorType, () => {
      writer.tag(TENSOR_TYPE.elemType, WireType.Varint).int32(DATA_TYPE[elementType]);
      if (dims === undefined) return;
      writeMessage(writer, TENSOR_TYPE.shape, () => {
        for (const dim of dims) writeMessage(writer, SHAPE.dim, () => writeDimension(writer, dim));
      });
    });
  });
}

function writeDimension(writer: BinaryWriter, dim: number | string): void {
  if (typeof dim === 'number') writer.tag(DIMENSION.dimValue, WireType.Varint).int64(dim);
  else writeText(writer, DIMENSION.dimParam, dim);
}

function writeText(writer: BinaryWriter, number: number, text: string): void {
  writer.tag(number, WireType.LengthDelimited).string(text);
}

function writeMessage(writer: BinaryWriter, number: number, writeContent: () => void): void {
  writer.tag(number, WireType.LengthDelimited).fork();
  writeContent();
  writer.join();
}
