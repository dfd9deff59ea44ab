/**
 * Names the variables of minified code by what gzip makes of them: some 30 bytes less than by their frequency alone.
 *
 * `search` looks for good names, which takes a minute or two and depends on the zlib at hand; what it found is kept in
 * names.json, and `rename` puts it into terser's syntax tree, so that a build gives the same text everywhere.
 */
const LETTERS = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$"];
const TRIES = 300_000;
// How much worse, in bytes, a step may be at the start; nothing at the end.
const TOLERANCE = 2.5;

/** The text of the tree with these names, in the order of its variables. Names that do not fit it are an error. */
export function rename(tree, names) {
	const variables = variablesOf(tree);
	const fits = variables.length === names.length && rivalsOf(variables).every((rivals, at) => rivals.every((one) => names[one] !== names[at]));
	if (!fits) throw new Error("The names do not fit the source any more: npm run names");
	return printer(tree, variables)(names);
}

/** Good names for the tree's variables, in their order. */
export function search(tree, sizeOf) {
	const variables = variablesOf(tree);
	const rivals = rivalsOf(variables);
	let names = variables.map(({ name }) => name);
	const print = printer(tree, variables);
	const random = generator(1);
	let size = sizeOf(print(names));
	let best = { names, size };
	for (let number = 0; number < TRIES; number++) {
		const next = exchange(names, rivals, random(names.length), LETTERS[random(LETTERS.length)]);
		const nextSize = sizeOf(print(next));
		const patience = Math.exp((size - nextSize) / (TOLERANCE * (1 - number / TRIES)));
		if (nextSize > size && patience * 1e6 < random(1e6)) continue;
		[names, size] = [next, nextSize];
		if (size < best.size) best = { names, size };
	}
	return best.names;
}

function variablesOf(tree) {
	const found = new Set();
	const visit = (node, descend) => {
		const variable = node.thedef;
		if (variable?.orig && !variable.global && !variable.undeclared) found.add(variable);
		descend?.call(node);
	};
	tree.walk({ _visit: visit, push() {}, pop() {} });
	return [...found];
}

/**
 * By variable, which others may not have its name: those of a function where it is used. Blocks count as part of their
 * function, which is stricter than need be and surely right.
 */
function rivalsOf(variables) {
	const homes = variables.map(({ scope }) => scope.get_defun_scope());
	const reaches = variables.map(({ references }, at) => {
		const reach = new Set([homes[at]]);
		for (const reference of references)
			for (let one = reference.scope.get_defun_scope(); one && one !== homes[at]; one = one.parent_scope?.get_defun_scope())
				reach.add(one);
		return reach;
	});
	return variables.map((_one, at) =>
		[...variables.keys()].filter((other) => other !== at && (reaches[at].has(homes[other]) || reaches[other].has(homes[at]))),
	);
}

/** Give the variable this name, and what it had to the rivals that have it, and so on until all is well again. */
function exchange(names, rivals, start, name) {
	const former = names[start];
	const next = [...names];
	const open = [start];
	const done = new Set(open);
	while (former !== name && open.length) {
		const at = open.pop();
		next[at] = next[at] === former ? name : former;
		for (const rival of rivals[at])
			if (next[rival] === next[at] && !done.has(rival)) {
				done.add(rival);
				open.push(rival);
			}
	}
	return next;
}

/** Prints the tree once, with marks; then puts names in their places. */
function printer(tree, variables) {
	variables.forEach((variable, at) => (variable.mangled_name = `Q0${at}Q`));
	const pieces = tree.print_to_string({ ecma: 2020 }).split(/Q0(\d+)Q/);
	return (names) => pieces.map((piece, at) => (at % 2 ? names[piece] : piece)).join("");
}

function generator(seed) {
	return (limit) => {
		seed = (Math.imul(seed, 1103515245) + 4711) >>> 0;
		return (seed >>> 8) % limit;
	};
}
