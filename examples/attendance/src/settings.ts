export type Settings = ReturnType<typeof readSettings>;

/** Reads the environment; README.md says what each setting means. @throws {Error} that names the setting. */
export function readSettings(environment: NodeJS.ProcessEnv) {
  const text = (name: string) => environment[name] || undefined;
  const number = (name: string, low: number, high: number, byDefault: number): number => {
    const value = Number(text(name) ?? byDefault);
    if (value >= low && value <= high) return value;
    throw new Error(`${name} must be a number from ${low} to ${high}.`);
  };
  const token = (name: string): string => {
    const value = text(name);
    if (value && /^[\w.~+/-]+=*$/.test(value)) return value;
    throw new Error(`${name} must be set, to letters and digits: openssl rand -hex 32`);
  };
  const [adminToken, doorToken] = [token('ADMIN_TOKEN'), token('DOOR_TOKEN')];
  if (adminToken === doorToken) throw new Error('ADMIN_TOKEN and DOOR_TOKEN must differ.');
  return {
    adminToken,
    doorToken,
    host: text('HOST') ?? '127.0.0.1',
    port: number('PORT', 0, 65_535, 3000),
    databaseUrl: text('DATABASE_URL'),
    dataDir: text('DATA_DIR') ?? 'data',
    faceUrl: text('FACE_URL') ?? 'http://localhost:8000',
    previousFaceUrl: text('PREVIOUS_FACE_URL'),
    faceApiKey: text('FACE_API_KEY'),
    minPhotos: number('MIN_PHOTOS', 1, 5, 3),
    maxPhotos: 5,
    minEnrolQuality: number('MIN_ENROL_QUALITY', 0, 1, 0.8),
    minDoorQuality: number('MIN_DOOR_QUALITY', 0, 1, 0.5),
    maxFpir: number('MAX_FPIR', 1e-9, 1, 0.01),
    allowProvisional: text('ALLOW_PROVISIONAL') === 'true',
    threshold: text('THRESHOLD') ? number('THRESHOLD', 0, 2, 0) : undefined,
    minCoverage: number('MIN_COVERAGE', 0, 1, 1),
    storeFaces: text('STORE_FACES') !== 'false',
    consentVersion: text('CONSENT_VERSION') ?? '1',
    auditDays: number('AUDIT_DAYS', 1, 36_500, 90),
  };
}
