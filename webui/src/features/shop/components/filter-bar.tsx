import { Icon } from "@/components/ui/icon";
import type { MenuFilter } from "../filter";
import styles from "./filter-bar.module.css";

interface FilterBarProps {
  filter: MenuFilter;
  cuisines: readonly string[];
  onChange: (filter: MenuFilter) => void;
}

export function FilterBar({ filter, cuisines, onChange }: FilterBarProps) {
  return (
    <search className={styles.bar} aria-label="Find dishes">
      <label className={styles.field}>
        <Icon name="search" />
        <span className="visually-hidden">Search dishes</span>
        <input
          type="search"
          className={styles.input}
          placeholder="Pizza, phở, tacos …"
          value={filter.text}
          onChange={(event) => onChange({ ...filter, text: event.target.value })}
        />
      </label>
      <fieldset className={styles.chips}>
        <legend className="visually-hidden">Cuisine</legend>
        {[null, ...cuisines].map((cuisine) => (
          <label key={cuisine ?? ""} className={styles.chip}>
            <input
              type="radio"
              name="cuisine"
              className={styles.hiddenInput}
              checked={filter.cuisine === cuisine}
              onChange={() => onChange({ ...filter, cuisine })}
            />
            {cuisine ?? "All kitchens"}
          </label>
        ))}
        <span className={styles.divider} aria-hidden="true" />
        <label className={styles.chip}>
          <input
            type="checkbox"
            className={styles.hiddenInput}
            checked={filter.vegetarian}
            onChange={(event) => onChange({ ...filter, vegetarian: event.target.checked })}
          />
          <Icon name="leaf" size={18} />
          Vegetarian
        </label>
      </fieldset>
    </search>
  );
}
