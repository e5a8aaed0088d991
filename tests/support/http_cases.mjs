// Reads the documents of tests/cases/http and tests/cases/answers: [{name, bytes, expect}]. Their README.md say what they look like.
import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

const directory = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../cases');
const plainEscapes = {r: 13, n: 10, t: 9, 0: 0, '\\': 92};

function escaped(text) {
  const bytes = [];
  for (let at = 0; at < text.length; ++at) {
    if (text[at] !== '\\') {
      bytes.push(text.charCodeAt(at));
      continue;
    }
    const letter = text[++at];
    if (letter === 'x') {
      bytes.push(Number.parseInt(text.slice(at + 1, at + 3), 16));
      at += 2;
    } else if (letter in plainEscapes) {
      bytes.push(plainEscapes[letter]);
    } else {
      throw new Error(`unknown escape \\${letter}`);
    }
  }
  return Buffer.from(bytes);
}

// `\r` `\n` `\t` `\0` `\\` `\xNN` and {{N*text}}.
export function unescape(text) {
  const parts = [];
  let rest = text;
  for (let match; (match = /\{\{(\d+)\*(.*?)\}\}/s.exec(rest)); rest = rest.slice(match.index + match[0].length)) {
    const unit = escaped(match[2]);
    parts.push(escaped(rest.slice(0, match.index)), Buffer.alloc(unit.length * Number(match[1]), unit));
  }
  parts.push(escaped(rest));
  return Buffer.concat(parts);
}

function readDocument(folder, file) {
  const text = readFileSync(path.join(directory, folder, file), 'utf8');
  return text.split(/^## /m).slice(1).map(section => {
    const name = `${file.slice(0, -3)}/${section.slice(0, section.indexOf('\n'))}`;
    const block = language => new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(section)?.[1];
    const expectation = block('expect');
    if (expectation === undefined) throw new Error(`${name}: no expectation`);
    const expect = Object.fromEntries(expectation.trimEnd().split('\n').map(line => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }));
    return {name, bytes: unescape(block('http').replaceAll('\n', '')), expect};
  });
}

export function readCases(folder) {
  const files = readdirSync(path.join(directory, folder)).filter(file => file.endsWith('.md') && file !== 'README.md');
  return files.sort().flatMap(file => readDocument(folder, file));
}
