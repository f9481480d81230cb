import { updateSection } from '../markdown.ts';
import { renderClientTypes } from './client-types.ts';
import { renderConfiguration } from './configuration.ts';
import { renderEnvExample } from './env-example.ts';
import { renderErrors } from './errors.ts';
import { renderModelPacks, renderPackLicences, renderPackSummary } from './model-packs.ts';
import { renderWorkers } from './workers.ts';

/**
 * The generated documents, by path from the root of the repository. Each function takes the text of the file as it is and
 * returns it as it should be. `npm run generate` writes the files; a test fails when one is out of date.
 */
export const GENERATED_DOCUMENTS: Readonly<Record<string, (current: string) => string>> = {
  '.env.example': renderEnvExample,
  'clients/typescript/src/api.ts': renderClientTypes,
  'docs/CONFIGURATION.md': renderConfiguration,
  'docs/ERRORS.md': renderErrors,
  'docs/OPERATIONS.md': (current) => updateSection(current, 'workers', renderWorkers()),
  'docs/MODELS.md': (current) =>
    updateSection(updateSection(current, 'packs', renderModelPacks()), 'licences', renderPackLicences()),
  'README.md': (current) => updateSection(current, 'packs', renderPackSummary()),
};
