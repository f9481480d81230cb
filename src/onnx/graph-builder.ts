import type { Attribute, Graph, GraphNode, Initialiser, ValueInfo } from './writer.ts';

/** The name of a tensor in a graph under construction. */
export type TensorName = string;

/**
 * Builds an ONNX graph. Each call adds a node or a constant and returns the name of its output tensor. Names depend on the
 * order of the calls only, so the same calls give the same graph.
 */
export class GraphBuilder {
  readonly #nodes: GraphNode[] = [];
  readonly #initialisers: Initialiser[] = [];
  readonly #names = new Set<TensorName>();

  /** Adds a node with one output. Without `name`, the output is named after the operator. */
  add(
    opType: string,
    inputs: readonly TensorName[],
    attributes: Readonly<Record<string, Attribute>> = {},
    name?: string,
  ): TensorName {
    const output = this.#claim(name ?? `${opType.toLowerCase()}_${this.#nodes.length}`);
    this.#nodes.push({ opType, inputs, outputs: [output], attributes });
    return output;
  }

  /** Adds a float32 constant: a vector, or a scalar if `dims` is `[]`. */
  floats(values: readonly number[], dims: readonly number[] = [values.length]): TensorName {
    return this.constant(Float32Array.from(values), dims);
  }

  /** Adds an int64 constant (shapes, indices): a vector, or a scalar if `dims` is `[]`. */
  ints(values: readonly number[], dims: readonly number[] = [values.length]): TensorName {
    return this.constant(BigInt64Array.from(values, BigInt), dims);
  }

  constant(data: Initialiser['data'], dims: readonly number[]): TensorName {
    const elements = dims.reduce((product, dim) => product * dim, 1);
    if (elements !== data.length) {
      throw new Error(
        `A constant of shape [${dims.join(', ')}] needs ${elements} values, not ${data.length}.`,
      );
    }
    const name = this.#claim(`constant_${this.#initialisers.length}`);
    this.#initialisers.push({ name, dims, data });
    return name;
  }

  /** @param outputs with the names of tensors that were added. */
  build(name: string, inputs: readonly ValueInfo[], outputs: readonly ValueInfo[]): Graph {
    for (const output of outputs) {
      if (!this.#names.has(output.name))
        throw new Error(`No node of the graph has the output ${output.name}.`);
    }
    return { name, inputs, outputs, initialisers: [...this.#initialisers], nodes: [...this.#nodes] };
  }

  #claim(name: TensorName): TensorName {
    if (this.#names.has(name)) throw new Error(`The graph already has a tensor called ${name}.`);
    this.#names.add(name);
    return name;
  }
}
