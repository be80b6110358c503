import { useId, useState } from "react";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { formatClockSeconds } from "@/lib/format";
import type { DeadLetter } from "../api/operations-events";
import { useReplayDeadLetter } from "../api/replay-dead-letter";
import { deadLetterId } from "../overview";
import styles from "./dead-letters.module.css";

const MAX_SHOWN = 10;

/** The newest unusable events, with the reason, and a form to correct and publish them again. */
export function DeadLetters({ letters }: { letters: readonly DeadLetter[] }) {
  if (letters.length === 0) return <p className={styles.nothing}>No event was refused.</p>;
  return (
    <ul className={styles.letters}>
      {letters.slice(0, MAX_SHOWN).map((letter) => (
        <li key={deadLetterId(letter)} className={styles.letter}>
          <Letter letter={letter} />
        </li>
      ))}
    </ul>
  );
}

function Letter({ letter }: { letter: DeadLetter }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <p className={styles.reason}>{letter.reason}</p>
      <p className={styles.source}>
        <time dateTime={new Date(letter.at).toISOString()}>{formatClockSeconds(letter.at)}</time>
        {" · "}
        {letter.topic}, partition {letter.partition}, offset {letter.offset}
        {letter.key ? ` · key ${letter.key}` : ""}
      </p>
      {isOpen ? (
        <Correction letter={letter} onClose={() => setIsOpen(false)} />
      ) : (
        <Button look="quiet" onClick={() => setIsOpen(true)}>
          Correct and publish<span className="visually-hidden"> event {deadLetterId(letter)}</span>
        </Button>
      )}
    </>
  );
}

function Correction({ letter, onClose }: { letter: DeadLetter; onClose: () => void }) {
  const [value, setValue] = useState(() => pretty(letter.value));
  const replay = useReplayDeadLetter();
  const id = useId();
  const problem = problemWith(value);
  return (
    <form
      className={styles.correction}
      onSubmit={(event) => {
        event.preventDefault();
        if (problem === null) replay.mutate({ value: compact(value), key: letter.key ?? null });
      }}
    >
      {letter.truncated ? (
        <Notice tone="warning">
          <p>Only the beginning of the event is shown here. Add the rest.</p>
        </Notice>
      ) : null}
      <label htmlFor={id} className={styles.label}>
        Corrected event
      </label>
      <textarea
        id={id}
        className={styles.value}
        rows={Math.min(16, value.split("\n").length + 1)}
        spellCheck={false}
        value={value}
        onChange={(event) => setValue(event.target.value)}
        aria-invalid={problem !== null || undefined}
        aria-describedby={`${id}-problem`}
      />
      <p id={`${id}-problem`} className={styles.problem}>
        {problem}
      </p>
      <div aria-live="polite">
        {replay.isSuccess ? <Notice tone="good" icon="check" title="Published again" /> : null}
        {replay.isError ? (
          <Notice tone="bad" title="It could not be published">
            <p>{replay.error.message}</p>
          </Notice>
        ) : null}
      </div>
      <div className={styles.actions}>
        <Button type="submit" look="primary" isBusy={replay.isPending} disabled={problem !== null}>
          Publish again
        </Button>
        <Button onClick={onClose}>Close</Button>
      </div>
    </form>
  );
}

function problemWith(value: string): string | null {
  try {
    JSON.parse(value);
    return null;
  } catch (error) {
    return `Not JSON yet: ${error instanceof Error ? error.message : ""}`;
  }
}

/** Indented for reading. Amounts keep their digits: only the white space is changed, and no number is parsed. */
function pretty(value: string): string {
  if (problemWith(value) !== null) return value;
  let depth = 0;
  let isText = false;
  let result = "";
  for (let n = 0; n < value.length; n++) {
    const character = value.charAt(n);
    if (isText) {
      result += character;
      if (character === "\\") result += value.charAt(++n);
      else if (character === '"') isText = false;
    } else if (character === '"') {
      isText = true;
      result += character;
    } else if (character === "{" || character === "[") {
      depth += 1;
      result += `${character}\n${"  ".repeat(depth)}`;
    } else if (character === "}" || character === "]") {
      depth -= 1;
      result += `\n${"  ".repeat(depth)}${character}`;
    } else if (character === ",") result += `,\n${"  ".repeat(depth)}`;
    else if (character === ":") result += ": ";
    else if (!/\s/.test(character)) result += character;
  }
  return result;
}

/** The event to send: the text without the line breaks that were added for reading. */
const compact = (value: string): string => value.replace(/\n\s*/g, "");
