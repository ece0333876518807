// What may be keyed in a field, and what it means: the same as the server finds, so that a slip is seen at once.

/** Digits, and what is before and behind the last point or comma. */
function parts(field, keyed) {
  const number = field.is_signed && keyed.startsWith("-") ? keyed.slice(1) : keyed;
  const at = Math.max(number.lastIndexOf("."), number.lastIndexOf(","));
  return at < 0 ? { whole: number, behind: null } : { whole: number.slice(0, at), behind: number.slice(at + 1) };
}

function dateDigits(keyed) {
  const numbers = keyed.split(/[.,/ -]/).filter((part) => part !== "");
  if (numbers.length === 1) return numbers[0];
  return numbers.length === 3 ? numbers.map((part) => part.padStart(2, "0")).join("") : "";
}

/** The value of a choice, in small letters or capitals. */
function choiceOf(field, keyed) {
  return field.values.find((value) => value.toLowerCase() === keyed.toLowerCase());
}

/** Why a keyed text is no value of a field; empty where it is one. */
export function checked(field, keyed) {
  if (keyed.length > 64) return "too-long";
  if (field.kind === "choice") return choiceOf(field, keyed) === undefined ? "no-choice" : "";
  if (!/[0-9]/.test(keyed)) return "character";
  const isDigits = (text) => /^[0-9]*$/.test(text);
  if (field.kind === "mark") return /^[01]$/.test(keyed) ? "" : "no-mark";
  if (field.kind === "date") {
    if (!/^[0-9.,/ -]*$/.test(keyed)) return "character";
    return [6, 8].includes(dateDigits(keyed).length) ? "" : "no-date";
  }
  const { whole, behind } = parts(field, keyed);
  if (field.kind === "amount") {
    if (!isDigits(whole) || !isDigits(behind ?? "")) return "character";
    return (behind ?? "").length > field.decimals ? "too-many-decimals" : "";
  }
  return behind === null && isDigits(whole) ? "" : "character";
}

/** How a keyed value is understood, for the eye; empty where it is none. */
export function shown(field, keyed) {
  keyed = keyed.trim();
  if (checked(field, keyed) !== "") return "";
  if (field.kind === "choice") return choiceOf(field, keyed);
  if (field.kind === "date") {
    const digits = dateDigits(keyed);
    const year = digits.length - 4;
    const cuts = field.order === "ymd" ? [year, year + 2] : [2, 4];
    return [digits.slice(0, cuts[0]), digits.slice(cuts[0], cuts[1]), digits.slice(cuts[1])].join(" / ");
  }
  if (field.kind !== "amount" || field.decimals === 0) return keyed;
  const { whole, behind } = parts(field, keyed);
  const sign = keyed.startsWith("-") ? "-" : "";
  if (behind !== null) return `${sign}${whole || "0"}.${behind.padEnd(field.decimals, "0")}`;
  if (!field.has_all_decimals) return `${sign}${whole}.${"0".repeat(field.decimals)}`;
  const digits = whole.padStart(field.decimals + 1, "0");
  return `${sign}${digits.slice(0, -field.decimals)}.${digits.slice(-field.decimals)}`;
}
