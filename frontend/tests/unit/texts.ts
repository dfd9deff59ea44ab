/** Which texts of a source people see untranslated: in Vue's templates, and in scripts by their syntax. */
import { parse } from "vue/compiler-sfc";
import ts from "typescript";

/** Attributes that are read by people, whoever shows them. */
const SHOWN = /^(aria-label|alt|button-label|description|empty|heading|hint|label|message|others|placeholder|primary_action_label|search-label|subtitle|text|title|tooltip|unit|unknown)$/;
/** What `messages.ts` finds in tables, and the template hands to `__()`. */
const TABLE = /^(label|title|hint|section|text|subtitle|heading)$/;
const WORD = /\p{L}{2}/u;
/** Signs, figures, and names that are the same in every language. */
const NAMES = /^(PNG|SVG|CSV|JSON|ZIP|UTC|CPA|CPC|CTR|ROAS|ROI|TrackFlow)$/;
/** What code, and the examples in empty fields, are called: no words for people. */
const IDENTIFIER = /^[a-z/][a-z0-9_./-]*$/;
/** A sentence, or a title of several words: what no code is called. */
const SENTENCE = /^\p{Lu}\p{L}*,?(\s+\S+)+/u;

const isText = (text: string) => WORD.test(text) && !NAMES.test(text.trim());

/** `tables` are translated where they are shown; in the desk nobody does that. `names` are what the code calls things by. */
export function untranslated(name: string, source: string, names: ReadonlySet<string>, tables = true): string[] {
	if (!name.endsWith(".vue")) return inScript(source, names, tables);
	const { descriptor } = parse(source, { ignoreEmpty: false });
	const found = descriptor.scriptSetup ? inScript(descriptor.scriptSetup.content, names, tables) : [];
	if (descriptor.template?.ast) for (const node of descriptor.template.ast.children) inTemplate(node, names, found);
	return found;
}

function inTemplate(node: any, names: ReadonlySet<string>, found: string[]): void {
	// 1 element, 2 text, 5 interpolation; of an element's props 6 is an attribute, 7 a directive.
	if (node.type === 2 && isText(node.content)) found.push(node.content.trim());
	if (node.type === 5) found.push(...inExpression(node.content.loc.source, names));
	for (const prop of node.props ?? []) {
		if (prop.type === 6 && SHOWN.test(prop.name) && isShown(prop.name, prop.value?.content ?? "", names)) found.push(`${prop.name}="${prop.value.content}"`);
		if (prop.type === 7 && prop.exp && prop.arg && SHOWN.test(prop.arg.loc.source)) found.push(...inExpression(prop.exp.loc.source, names).filter((text) => isShown(prop.arg.loc.source, text, names)));
	}
	for (const child of [...(node.children ?? []), ...(node.branches ?? [])]) inTemplate(child, names, found);
}

const isShown = (attribute: string, text: string, names: ReadonlySet<string>) => isText(text) && !names.has(text) && !(attribute === "placeholder" && IDENTIFIER.test(text));

/** What an expression shows: any text in it that is not handed to `__()`, and is neither compared nor looked up by. */
function inExpression(source: string, names: ReadonlySet<string>): string[] {
	return literals(`(${source})`)
		.filter(({ node, text }) => isText(text) && !names.has(text) && !isTranslated(node) && !isKey(node))
		.map(({ text }) => text);
}

function inScript(source: string, names: ReadonlySet<string>, tables: boolean): string[] {
	return literals(source)
		.filter(({ node, text }) => isText(text) && !names.has(text) && !isTranslated(node) && !isKey(node) && isSeen(node, text, tables))
		.map(({ text }) => text);
}

function isSeen(node: ts.Node, text: string, tables: boolean): boolean {
	const { parent } = node;
	const field = ts.isPropertyAssignment(parent) && parent.initializer === node ? parent.name.getText().replace(/["']/g, "") : "";
	if (field && SHOWN.test(field)) return !(tables && TABLE.test(field));
	// What developers are told.
	if (ts.isNewExpression(parent) && parent.expression.getText().endsWith("Error")) return false;
	return SENTENCE.test(text) && !(field && tables && TABLE.test(field));
}

const isCall = (node: ts.Node): node is ts.CallExpression => ts.isCallExpression(node) && /^(__|say)$/.test(node.expression.getText());

function isTranslated(node: ts.Node): boolean {
	for (let one = node; one.parent; one = one.parent) {
		if (isCall(one.parent) && one.parent.arguments[0] === one) return true;
		// `__(is ? "one" : "other")`, `__(known ?? "none")`
		if (!ts.isConditionalExpression(one.parent) && !ts.isBinaryExpression(one.parent) && !ts.isParenthesizedExpression(one.parent)) return false;
	}
	return false;
}

function isKey(node: ts.Node): boolean {
	const { parent } = node;
	const { text } = node as ts.StringLiteral;
	if (IDENTIFIER.test(text) && (ts.isCallExpression(parent) || /[-_./]/.test(text))) return true;
	if (ts.isBinaryExpression(parent)) return /^(===?|!==?|in)$/.test(parent.operatorToken.getText());
	return (
		ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent) || ts.isLiteralTypeNode(parent) || ts.isElementAccessExpression(parent) || ts.isCaseClause(parent) ||
		(ts.isPropertyAssignment(parent) && parent.name === node)
	);
}

function literals(source: string): { node: ts.Node; text: string }[] {
	const found: { node: ts.Node; text: string }[] = [];
	const visit = (node: ts.Node): void => {
		if (ts.isStringLiteralLike(node)) found.push({ node, text: node.text });
		ts.forEachChild(node, visit);
	};
	visit(ts.createSourceFile("source.ts", source, ts.ScriptTarget.Latest, true));
	return found;
}
