"use strict";

// Shows /v1/openapi.json. Text only ever enters the page as text nodes.

function element(name, content, className) {
  const made = document.createElement(name);
  if (className) made.className = className;
  for (const child of [].concat(content ?? [])) made.append(child);
  return made;
}

function json(value) {
  return element("pre", element("code", JSON.stringify(value, null, 2)));
}

function table(rows) {
  return element("table", rows.map((cells) => element("tr", cells.map((cell) => element("td", cell)))));
}

function schemaName(content) {
  const schema = content.schema ?? {};
  return schema.$ref ? schema.$ref.split("/").pop() : schema.description ?? schema.type ?? "";
}

function operation(path, method, described) {
  const made = element("details", [
    element("summary", [
      element("span", method.toUpperCase(), "method"),
      element("code", path),
      " " + (described.summary ?? ""),
    ]),
  ]);
  if (described.description) made.append(element("p", described.description));
  if (described.parameters) {
    made.append(element("h4", "Parameters"));
    made.append(table(described.parameters.map((one) => [
      element("code", one.name), one.in, (one.schema.enum ?? [one.schema.type]).join(", "), one.description ?? "",
    ])));
  }
  if (described.requestBody) {
    made.append(element("h4", "Body"));
    made.append(table(Object.entries(described.requestBody.content).map(([type, content]) => [
      element("code", type), schemaName(content),
    ])));
  }
  made.append(element("h4", "Answers"));
  made.append(table(Object.entries(described.responses).map(([status, response]) => [
    element("code", status), response.description, Object.keys(response.content ?? {}).join(", "),
  ])));
  return made;
}

function show(api) {
  const main = document.getElementById("api");
  main.replaceChildren(element("p", `${api.info.title} ${api.info.version}: ${api.info.description}`));
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, described] of Object.entries(methods)) main.append(operation(path, method, described));
  }
  main.append(element("h2", "Schemas"));
  for (const [name, schema] of Object.entries(api.components.schemas)) {
    main.append(element("details", [element("summary", element("code", name)), json(schema)]));
  }
}

fetch("/v1/openapi.json")
  .then((response) => response.json())
  .then(show)
  .catch((error) => document.getElementById("api").replaceChildren(`The description cannot be shown: ${error}`));
