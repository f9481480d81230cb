import { DIMENSION, GRAPH, MODEL, NODE, SHAPE, TENSOR, TENSOR_TYPE, TYPE, VALUE_INFO } from './schema.ts';
import { contentOf, fieldIn, integerOf, readFields, textIn, type WireField } from './wire.ts';

/** A tensor that enters or leaves a graph. */
export interface TensorSignature {
  name: string;
  /** A symbolic or unknown dimension is undefined, and so is the whole list if the graph states no shape. */
  dims: (number | undefined)[] | undefined;
}

/** What a model file says about its network: enough to tell a detector from a recogniser without loading it. */
export interface GraphSignature {
  /** In the graph's order, without the initialisers that old exporters list among the inputs. */
  inputs: TensorSignature[];
  /** In the graph's order. */
  outputs: TensorSignature[];
  /** Operator types of the first nodes, in order, at most 16. They show whether a graph normalises its input. */
  operators: string[];
}

const MAX_OPERATORS = 16;

/**
 * Reads the signature of an ONNX model. Weights are skipped, so time and memory depend on the number of nodes and
 * tensors, not on their size.
 *
 * @throws {Error} with a sentence for operators when the bytes are not an ONNX model: truncated, in another format, or
 *   without the graph, nodes, outputs, IR version or opset that every model has.
 */
export function readGraphSignature(bytes: Uint8Array): GraphSignature {
  try {
    return signatureOf(graphOf(bytes));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`These bytes are not a complete ONNX model (${reason}).`, { cause: error });
  }
}

/** Serialisers write the opset after the graph, so requiring it also detects a file truncated between the two. */
function graphOf(model: Uint8Array): Uint8Array {
  let graph: Uint8Array | undefined;
  let irVersion = 0;
  let opsets = 0;
  for (const field of readFields(model)) {
    if (field.number === MODEL.irVersion) irVersion = integerOf(field);
    else if (field.number === MODEL.graph) graph = contentOf(field);
    else if (field.number === MODEL.opsetImport) opsets += contentOf(field).length > 0 ? 1 : 0;
  }
  if (graph === undefined) throw new Error('there is no graph');
  if (irVersion < 1) throw new Error('the IR version is missing');
  if (opsets === 0) throw new Error('the opset is missing');
  return graph;
}

function signatureOf(graph: Uint8Array): GraphSignature {
  const listedInputs: TensorSignature[] = [];
  const outputs: TensorSignature[] = [];
  const operators: string[] = [];
  const initialisers = new Set<string>();
  for (const field of readFields(graph)) {
    if (field.number === GRAPH.node) {
      if (operators.length < MAX_OPERATORS) operators.push(requiredText(field, NODE.opType, 'operator type'));
    } else if (field.number === GRAPH.initializer) {
      initialisers.add(textIn(field, TENSOR.name) ?? '');
    } else if (field.number === GRAPH.input) {
      listedInputs.push(tensorSignatureOf(field));
    } else if (field.number === GRAPH.output) {
      outputs.push(tensorSignatureOf(field));
    }
  }
  if (operators.length === 0) throw new Error('the graph has no nodes');
  if (outputs.length === 0) throw new Error('the graph has no outputs');
  return { inputs: listedInputs.filter(({ name }) => !initialisers.has(name)), outputs, operators };
}

function tensorSignatureOf(valueInfo: WireField): TensorSignature {
  const type = fieldIn(valueInfo, VALUE_INFO.type);
  const tensorType = type && fieldIn(type, TYPE.tensorType);
  const shape = tensorType && fieldIn(tensorType, TENSOR_TYPE.shape);
  return { name: requiredText(valueInfo, VALUE_INFO.name, 'name'), dims: shape && dimsOf(shape) };
}

function dimsOf(shape: WireField): (number | undefined)[] {
  const dims: (number | undefined)[] = [];
  for (const field of readFields(contentOf(shape))) {
    if (field.number !== SHAPE.dim) continue;
    const value = fieldIn(field, DIMENSION.dimValue);
    dims.push(value && integerOf(value));
  }
  return dims;
}

function requiredText(message: WireField, number: number, what: string): string {
  const text = textIn(message, number);
  if (!text) throw new Error(`a part of the graph has no ${what}`);
  return text;
}
