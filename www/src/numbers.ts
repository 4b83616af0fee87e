/**
 * Numbers as people write them. What has exactly one meaning is accepted; everything else is refused with an example of
 * how to write it, because a setting that silently becomes another number is worse than a question.
 *
 * - Whole numbers may be grouped by three: 60,000, 60 000, 60'000 or 60_000, never after a leading 0. They take no point,
 *   because 60.000 is sixty thousand in half of Europe.
 * - Other numbers are written with a point. One comma is never accepted in them: 1,500 is 1.5 there. Several commas, or
 *   a comma before a point, can only group: 1,234,567 and 1,234.5.
 * - A sign, an exponent (1e-3), and what keyboards and web pages make of digits, minus signs and spaces are accepted.
 */

export interface NumberRules {
  whole: boolean;
  /** Whether an empty text is accepted, and means null. */
  optional?: boolean;
  /** The largest number that can be stored. */
  most?: number;
}

/** A value, or a mistake in a sentence. */
export type NumberReading = { value: number | null; mistake: null } | { value: null; mistake: string };

const NUMBER =
  /^(?<sign>[+-]?)(?<integer>[1-9]\d{0,2}(?:(?<separator>[,_' ])\d{3})(?:\k<separator>\d{3})*|\d*)(?<fraction>\.\d*)?(?<exponent>e[+-]?\d+)?$/i;

/** What a list of sizes or milestones says, in plain characters, or a mistake in a sentence. */
export type ListReading = { value: string; mistake: null } | { value: null; mistake: string };

/** Groups of three digits: in a list they can be one number, or one and its decimals, or several. */
const GROUPED = /(?<![\d.,'_])[1-9]\d{0,2}(?:[.,'_]\d{3})+(?![\d.,'_])/;

/** The core reads the entries; what could be another number there than was meant does not get that far. */
export function readList(text: string): ListReading {
  const value = withPlainCharacters(text);
  const [grouped] = GROUPED.exec(value) ?? [];
  if (grouped === undefined) return { value, mistake: null };
  const digits = grouped.replaceAll(/\D/g, '');
  return { value: null, mistake: `${grouped} can be read in more than one way. Write ${digits} for one number, and blanks between several.` };
}

export function readNumber(text: string, { whole, optional = false, most = whole ? Number.MAX_SAFE_INTEGER : Number.MAX_VALUE }: NumberRules): NumberReading {
  const written = inPlainCharacters(text);
  if (written === '') return optional ? { value: null, mistake: null } : refused('Please enter a number.');
  const { sign = '', integer = '', separator, fraction = '', exponent = '' } = NUMBER.exec(written)?.groups ?? {};
  const digits = integer.replaceAll(/\D/g, '');
  if (!/\d/.test(digits + fraction)) return refused(advice(written, whole));
  if (whole && fraction !== '') return refused(advice(written, whole));
  if (!whole && separator === ',' && fraction === '' && integer.indexOf(',') === integer.lastIndexOf(',')) return refused(advice(written, whole));
  // Adding 0 makes 0 of -0.
  const value = Number(`${sign}${digits}${fraction}${exponent}`) + 0;
  if (Math.abs(value) > most) return refused('This number is too large.');
  if (value === 0 && /[1-9]/.test(digits + fraction)) return refused('This number is too close to 0.');
  if (whole && !Number.isInteger(value)) return refused(advice(written, whole));
  if (whole && value < 0) return refused('This must not be negative.');
  return { value, mistake: null };
}

function refused(mistake: string): NumberReading {
  return { value: null, mistake };
}

function inPlainCharacters(text: string): string {
  return withPlainCharacters(text).trim();
}

/** Full-width digits, typographic minus signs and apostrophes, and all kinds of spaces as the keyboard's own. */
function withPlainCharacters(text: string): string {
  return text
    .replaceAll(/[\uFF0B-\uFF1A]/g, (character) => String.fromCharCode(character.charCodeAt(0) - 0xfee0))
    .replaceAll(/[\u2010-\u2013\u2212\uFE63]/g, '-')
    .replaceAll(/[\u2018\u2019\u02BC]/g, "'")
    .replaceAll(/[\u200B-\u200F\u202A-\u202E\u2060\u2066-\u2069]/g, '')
    .replaceAll(/\s/g, ' ');
}

/** What is wrong with a text that is no number of the wanted kind, and how what was probably meant is written. */
function advice(written: string, whole: boolean): string {
  return whole ? adviceForWhole(written) : adviceForDecimal(written);
}

function adviceForWhole(written: string): string {
  const grouped = /^[1-9]\d{0,2}(\.\d{3})+$/.test(written) ? written.replaceAll('.', ',') : null;
  if (grouped !== null && written.indexOf('.') !== written.lastIndexOf('.')) return `Points do not group digits here. Write ${grouped}.`;
  if (grouped !== null) return `This can be read in two ways. Write ${grouped}, or ${String(parseInt(written, 10))}: whole numbers have no point.`;
  if (/^[+-]?\d*[.,]\d*$/.test(written)) return 'This is not a whole number. Write it without a point, such as 64 or 60,000.';
  return 'This is not a whole number. Write digits alone, such as 64 or 60,000.';
}

function adviceForDecimal(written: string): string {
  const [, sign = '', integer = '', fraction = ''] = /^([+-]?)(\d*),(\d+)$/.exec(written) ?? [];
  if (fraction === '') return 'This is not a number. Write digits and a point, such as 0.001.';
  const withPoint = `${sign}${integer === '' ? '0' : integer}.${fraction}`;
  const groups = fraction.length === 3 && /^[1-9]\d{0,2}$/.test(integer);
  if (groups) return `This can be read in two ways. Write ${withPoint}, or ${sign}${integer}${fraction}: decimals are written with a point.`;
  return `This is not a number here: decimals are written with a point, as in ${withPoint}.`;
}
