// Every option of the command line by its name, as fields. The value is a list of rows
// [option, value, help, type, values]; what somebody changes is written into it.

const list = element.querySelector('[data-part="options"]');
let shown = "";

function field([option, value, , type, values]) {
  const choices = type === "bool" ? ["True", "False"] : values;
  const input = document.createElement(choices.length ? "select" : "input");
  for (const choice of choices) input.append(new Option(choice, choice));
  if (!choices.length && type !== "str") input.inputMode = type === "int" ? "numeric" : "decimal";
  input.autocomplete = "off";
  input.value = value;
  return input;
}

function show() {
  const rows = props.value ?? [];
  if (JSON.stringify(rows) === shown) return; // what was written here a moment ago
  shown = JSON.stringify(rows);
  list.replaceChildren(...rows.map((row, at) => {
    const label = document.createElement("label");
    const input = field(row);
    const usual = row[1];
    const told = () => label.toggleAttribute("data-changed", input.value !== usual);
    input.onchange = () => {
      const changed = props.value.map((other) => [...other]);
      changed[at][1] = input.value;
      shown = JSON.stringify(changed);
      props.value = changed;
      told();
    };
    for (const [tag, words] of [["code", row[0]], ["small", row[2]]]) {
      label.append(Object.assign(document.createElement(tag), { textContent: words }));
    }
    label.firstChild.after(input);
    return label;
  }));
}

watch("value", show);
show();
