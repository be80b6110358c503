/** The mark: a lunch carrier of three tiers. */
export function Mark({ size = 36 }: { size?: number }) {
  return (
    <svg viewBox="0 0 40 40" width={size} height={size} aria-hidden="true" focusable="false">
      <path d="M11 13C11 1 29 1 29 13" fill="none" stroke="#bf3020" strokeWidth="3.4" strokeLinecap="round" />
      <path d="M8 14.5C8 12 10 11 12 11H28C30 11 32 12 32 14.5V18H8Z" fill="#bf3020" />
      <rect x="7" y="18" width="26" height="9" rx="2" fill="#f7b733" />
      <path d="M8 27H32V33C32 36 30 37 27.5 37H12.5C10 37 8 36 8 33Z" fill="#1d6b49" />
      <path
        d="M12 21.5H22M13 31H20"
        stroke="#fff"
        strokeOpacity="0.75"
        strokeWidth="2"
        strokeLinecap="round"
      />
    </svg>
  );
}

/** The carrier standing open, for pages without content. */
export function TiffinArt({ className = "" }: { className?: string }) {
  return (
    <svg viewBox="0 0 160 150" className={className} aria-hidden="true" focusable="false">
      <ellipse cx="80" cy="138" rx="62" ry="8" fill="#2c1420" opacity="0.12" />
      <path
        d="M46 62V36C46 8 114 8 114 36V62"
        fill="none"
        stroke="#9b7f83"
        strokeWidth="6"
        strokeLinecap="round"
      />
      <rect x="66" y="8" width="28" height="11" rx="5.5" fill="#bf3020" />
      <rect x="36" y="98" width="88" height="38" rx="12" fill="#1d6b49" />
      <rect x="36" y="98" width="88" height="9" rx="4" fill="#2e8a62" />
      <rect x="34" y="66" width="92" height="34" rx="9" fill="#f7b733" />
      <rect x="34" y="66" width="92" height="9" rx="4.5" fill="#ffd479" />
      <path
        d="M52 116H86M50 84H76"
        stroke="#fff"
        strokeOpacity="0.65"
        strokeWidth="5"
        strokeLinecap="round"
      />
      <g transform="rotate(-14 128 60)">
        <path d="M86 52C86 40 104 34 122 34S158 40 158 52Z" fill="#bf3020" />
        <rect x="82" y="50" width="80" height="9" rx="4.5" fill="#d9543f" />
        <circle cx="122" cy="32" r="6" fill="#d9543f" />
      </g>
      <path
        d="M62 50C58 44 66 40 62 33M80 52C76 45 84 41 80 33"
        fill="none"
        stroke="#9b7f83"
        strokeOpacity="0.6"
        strokeWidth="3.5"
        strokeLinecap="round"
      />
    </svg>
  );
}
