// The product's mark: four squares, one filled.

export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
      <rect className="mark-full" x="3.5" y="3.5" width="10" height="10" rx="3" />
      <rect x="18.5" y="3.5" width="10" height="10" rx="3" />
      <rect x="3.5" y="18.5" width="10" height="10" rx="3" />
      <rect x="18.5" y="18.5" width="10" height="10" rx="3" />
    </svg>
  )
}
