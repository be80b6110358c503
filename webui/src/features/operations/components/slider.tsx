import { useId, useState } from "react";
import styles from "./slider.module.css";

interface SliderProps {
  label: string;
  value: number;
  min?: number;
  max: number;
  step: number;
  format: (value: number) => string;
  /** Called when the visitor releases the slider, not while it moves. */
  onCommit: (value: number) => void;
}

/** A slider for a value. */
export function Slider({ label, value, min = 0, max, step, format, onCommit }: SliderProps) {
  const id = useId();
  const [pulled, setPulled] = useState<number | null>(null);
  const shown = pulled ?? value;
  const commit = () => {
    if (pulled === null) return;
    onCommit(pulled);
    setPulled(null);
  };
  return (
    <div className={styles.slider}>
      <label htmlFor={id}>{label}</label>
      <output htmlFor={id} className={`${styles.value} tabular`} data-on={shown > 0 || undefined}>
        {format(shown)}
      </output>
      <input
        id={id}
        type="range"
        className={styles.range}
        min={min}
        max={max}
        step={step}
        value={shown}
        aria-valuetext={format(shown)}
        onChange={(event) => setPulled(Number(event.target.value))}
        onPointerUp={commit}
        onKeyUp={commit}
        onBlur={commit}
      />
    </div>
  );
}
